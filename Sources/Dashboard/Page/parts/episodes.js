// @ts-check
// The overview's episodes: the open ones, worst first, from the stream; the latest closed ones, by request.

import { showName } from "./acknowledge.js";
import { part, setText } from "../lib/dom.js";
import { isNeeded } from "../lib/episode.js";
import { count, duration, isolated, plural, timeText } from "../lib/format.js";
import { fetchJSON } from "../lib/request.js";
import { EpisodeList } from "./episode-list.js";

const step = 8; // closed episodes at first, and more with each press
const most = 200; // what the interface gives at once
const refresh = 30_000; // ms after which the closed ones are fetched even if none is known to have closed

export class Episodes {
  #open = new EpisodeList(part("episodes"), (text) => setText(part("episodes-error"), text));
  #closed = new EpisodeList(part("closed"), () => {});
  /** @type {Set<number> | null} */
  #spoken = null;
  /** @type {API.Episodes | null} */
  #answer = null;
  #limit = step;
  /** @type {string | null} */
  #key = null;
  #asked = 0;
  #loading = false;

  constructor() {
    showName(part("who-change", HTMLButtonElement));
    part("closed-more").addEventListener("click", () => {
      this.#limit = Math.min(most, this.#limit + 2 * step);
      this.#load();
    });
  }

  /** @param {import("../lib/live.js").StateView} view */
  show({ state, current, now }) {
    const { open, by_severity: counts, last_closed_at: closed } = state.episodes;
    this.#open.show(open, now);
    setText(part("episodes-count"), countsText(counts));
    const all = state.open_episodes ?? 0;
    setText(part("episodes-more"), all > open.length ? `The ${open.length} worst of ${count(all)} are shown.` : "");
    part("episodes-more").hidden = all <= open.length;
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

  /**
   * Says once that somebody needs help, when that is new. It is not said when the page opens: it can be read there.
   * @param {API.Episode[]} open
   * @param {number} now
   */
  #speak(open, now) {
    const known = this.#spoken;
    const high = open.filter(isNeeded), fresh = high.filter(({ episode_id: id }) => !known?.has(id));
    const ids = new Set(open.map(({ episode_id: id }) => id));
    this.#spoken = new Set([...[...known ?? []].filter((id) => ids.has(id)), ...high.map(({ episode_id: id }) => id)]);
    if (known === null || fresh.length === 0) return;
    const sentences = fresh.slice(0, 3).map((episode) =>
      `High: ${episode.kind}, ${isolated(episode.customer_id)}, since ${timeText(Date.parse(episode.opened_at), now)}.`);
    if (fresh.length > 3) sentences.push(`And ${plural(fresh.length - 3, "more episode")} of high severity.`);
    setText(part("episodes-spoken"), sentences.join(" "));
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

  /** @param {number} now */
  #showClosed(now) {
    if (this.#answer === null) return;
    const { items, next_before: next } = this.#answer;
    this.#closed.show(items, now);
    part("closed-empty").hidden = items.length > 0;
    part("closed-more").hidden = next === null || this.#limit === most;
  }
}

/** @param {API.State["episodes"]["by_severity"]} counts */
function countsText({ high, medium, low }) {
  const all = [{ name: "high", number: high }, { name: "medium", number: medium }, { name: "low", number: low }];
  return all.filter(({ number }) => number > 0).map(({ name, number }) => `${count(number)} ${name}`).join(", ");
}

/**
 * @param {API.State} state
 * @param {number} now
 */
function emptyText({ open_episodes: open, episodes: { last_closed_at: closed } }, now) {
  if (open === null) return "Loading…";
  if (closed === null) return "No episodes so far.";
  const at = Date.parse(closed);
  return `No open episodes. The last one closed at ${timeText(at, now)}, ${duration(now - at)} ago.`;
}
