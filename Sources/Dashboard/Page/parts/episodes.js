// @ts-check
// The latest closed episodes, by request.

import { part } from "../lib/dom.js";
import { glide } from "../lib/glide.js";
import { fetchJSON } from "../lib/request.js";
import { EpisodeList } from "./episode-list.js";

const step = 8; // closed episodes at first, and more with each press
const most = 200; // what the interface gives at once
const refresh = 30_000; // ms after which they are fetched even if none is known to have closed

export class Episodes {
  #closed = new EpisodeList(part("closed"), () => {});
  /** @type {API.Episodes | null} */
  #answer = null;
  #limit = step;
  /** @type {string | null} */
  #key = null;
  #asked = 0;
  #loading = false;

  constructor() {
    part("closed-more").addEventListener("click", () => {
      this.#limit = Math.min(most, this.#limit + 2 * step);
      this.#load();
    });
  }

  /** Whether there was an answer. */
  get isShown() { return this.#answer !== null; }

  /** @param {import("../lib/live.js").StateView} view */
  show({ state, current, now }) {
    this.#showClosed(now);
    const { people, open_episodes: open, episodes: { last_closed_at: closed } } = state;
    // An acknowledgement of one that ended changes how many have eased.
    const key = [closed, open, people.counts.eased].join();
    if (!current || this.#loading || key === this.#key && Date.now() - this.#asked <= refresh) return;
    this.#key = key;
    this.#load();
  }

  async #load() {
    this.#asked = Date.now();
    this.#loading = true;
    try {
      this.#answer = await fetchJSON("/api/v1/episodes", { state: "closed", limit: this.#limit });
      glide(() => this.#showClosed(Date.now()));
    } catch {
      this.#key = null;
    } finally {
      this.#loading = false;
    }
  }

  /** @param {number} now */
  #showClosed(now) {
    if (this.#answer === null) return;
    const { items, next_before: next } = this.#answer;
    this.#closed.show(items, now);
    part("closed-empty").hidden = items.length > 0;
    part("closed-more").hidden = next === null || this.#limit === most;
  }
}
