// The overview's episodes: the open ones, worst first, from the stream; the latest closed ones, asked for when one has closed.

import { showName } from "./acknowledge.js";
import { setText } from "../lib/dom.js";
import { count, duration, plural, timeText } from "../lib/format.js";
import { fetchJSON } from "./frame.js";
import { EpisodeList, isNeeded } from "./episode-list.js";

const part = (id) => document.getElementById(id);
const step = 8; // closed episodes at first, and more with each press
const most = 200; // what the interface gives at once
const refresh = 30_000; // ms after which the closed ones are asked for even if none is known to have closed

export class Episodes {
  #open = new EpisodeList(part("episodes"), (text) => setText(part("episodes-error"), text));
  #closed = new EpisodeList(part("closed"), () => {});
  #spoken = null;
  #answer = null;
  #limit = step;
  #key = null;
  #asked = 0;
  #loading = false;

  constructor() {
    showName(part("who-change"));
    part("closed-more").addEventListener("click", () => {
      this.#limit = Math.min(most, this.#limit + 2 * step);
      this.#load();
    });
  }

  show({ state, current, now }) {
    const { open, by_severity: counts, last_closed_at: closed } = state.episodes;
    this.#open.show(open, now);
    setText(part("episodes-count"), ["high", "medium", "low"].filter((severity) => counts[severity] > 0)
      .map((severity) => `${count(counts[severity])} ${severity}`).join(", "));
    setText(part("episodes-more"), state.open_episodes > open.length ?
      `The ${open.length} worst of ${count(state.open_episodes)} are shown.` : "");
    part("episodes-more").hidden = !(state.open_episodes > open.length);
    part("episodes-empty").hidden = open.length > 0;
    setText(part("episodes-empty"), open.length > 0 ? "" : emptyText(state, now));
    this.#speak(open, now);
    this.#showClosed(now);
    const key = [closed, ...open.map(({ episode_id: id }) => id)].join();
    if (current && !this.#loading && (key !== this.#key || Date.now() - this.#asked > refresh)) {
      this.#key = key;
      this.#load();
    }
  }

  /** Says once that somebody is in need, when that is new; who opens the page reads it there. */
  #speak(open, now) {
    const known = this.#spoken;
    const high = open.filter(isNeeded), fresh = high.filter(({ episode_id: id }) => !known?.has(id));
    const ids = new Set(open.map(({ episode_id: id }) => id));
    this.#spoken = new Set([...[...known ?? []].filter((id) => ids.has(id)), ...high.map(({ episode_id: id }) => id)]);
    if (known === null || fresh.length === 0) return;
    const told = fresh.slice(0, 3).map((episode) =>
      `High: ${episode.kind}, ${episode.customer_id}, since ${timeText(Date.parse(episode.opened_at), now)}.`);
    if (fresh.length > 3) told.push(`And ${plural(fresh.length - 3, "more episode")} of high severity.`);
    setText(part("episodes-spoken"), told.join(" "));
  }

  async #load() {
    this.#asked = Date.now();
    this.#loading = true;
    try {
      this.#answer = await fetchJSON("/api/v1/episodes", { state: "closed", limit: this.#limit });
      this.#showClosed(Date.now());
    } catch {
      this.#key = null;
    } finally {
      this.#loading = false;
    }
  }

  #showClosed(now) {
    if (this.#answer === null) return;
    const { items, next_before: next } = this.#answer;
    this.#closed.show(items, now);
    part("closed-empty").hidden = items.length > 0;
    part("closed-more").hidden = next === null || this.#limit === most;
  }
}

function emptyText({ open_episodes: open, episodes: { last_closed_at: closed } }, now) {
  if (open === null) return "Not known yet.";
  if (closed === null) return "No open episodes. There was none so far.";
  const at = Date.parse(closed);
  return `No open episodes. The last one closed at ${timeText(at, now)}, ${duration(now - at)} ago.`;
}
