// @ts-check
// The stream of states from the server, and what is known about the stream itself.

import { fetchJSON } from "./request.js";

const silence = 5000; // ms without a word (the server sends one a second) after which the stream counts as cut
const background = 10_000; // ms between two looks of a page that nobody looks at and that nobody listens to
const longestWait = 5000; // ms between two attempts to reconnect

/**
 * What there is to show.
 * @typedef {object} View
 * @property {API.State | null} state the latest state taken from the stream, null before the first
 * @property {API.State["chart_points"] | null} points the chart's readings that came with it, only in the call that
 *   a state caused
 * @property {"connecting" | "open" | "cut"} link
 * @property {number | null} heard when the last state came (ms)
 * @property {number | null} paused since when the viewer has paused (ms)
 * @property {number} now the server's clock (ms)
 * @property {boolean} current whether the numbers of `state` may be shown as current
 */

/** A view that has a state.
 * @typedef {View & {state: API.State}} StateView */

/** Calls `show(view)` at every state and at least once a second. */
export class Live {
  #show;
  /** @type {EventSource | null} */
  #source = null;
  /** @type {API.State | null} */
  #state = null;
  /** @type {View["link"]} */
  #link = "connecting";
  /** @type {number | null} */
  #awake = null;
  #opened = 0;
  /** @type {number | null} */
  #heard = null;
  #ahead = 0;
  /** @type {number | null} */
  #paused = null;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry = undefined;
  #shown = 0;
  #isListenedTo = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looks = undefined;

  /** @param {(view: View) => void} show */
  constructor(show) {
    this.#show = show;
  }

  start() {
    setInterval(() => this.#watch(), 500);
    // A browser has few connections to one server for all its tabs (six by HTTP/1.1), and keeps those of pages
    // that one has left for a while: a page that is not looked at holds none, unless it has to be heard.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#rest() : this.#wake()));
    addEventListener("pagehide", () => this.#stop());
    addEventListener("pageshow", () => this.#wake());
    if (!document.hidden) this.#wake();
  }

  /** Whether the stream stays open while nobody looks, since somebody listens.
   * @param {boolean} on */
  listen(on) {
    this.#isListenedTo = on;
    if (!document.hidden) return;
    if (on) this.#wake();
    else this.#rest();
  }

  get now() { return Date.now() + this.#ahead; }

  /** @param {boolean} on */
  pause(on) {
    this.#paused = on ? this.now : null;
    this.#render();
  }

  #wake() {
    clearInterval(this.#looks);
    if (this.#awake !== null) return;
    this.#awake = Date.now();
    this.#open();
  }

  #rest() {
    if (this.#isListenedTo) return;
    this.#stop();
    // The title still tells who needs somebody.
    clearInterval(this.#looks);
    this.#looks = setInterval(() => this.#look(), background);
  }

  #stop() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#source?.close();
    this.#awake = null;
    this.#link = "connecting";
  }

  async #look() {
    try {
      this.#receive(await fetchJSON("/api/v1/state", {}));
    } catch {
      this.#link = "cut";
      this.#render();
    }
  }

  #open() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#source?.close();
    this.#opened = Date.now();
    this.#source = new EventSource("api/v1/events");
    this.#source.addEventListener("state", (event) => this.#receive(JSON.parse(event.data)));
    this.#source.addEventListener("error", () => this.#reopen());
  }

  /** The browser's own attempts end at the first answer that is not a stream; these never end. */
  #reopen() {
    this.#source?.close();
    if (this.#retry !== undefined) return;
    this.#attempts += 1;
    const wait = Math.min(longestWait, 500 * 2 ** (this.#attempts - 1)) * (0.75 + Math.random() / 2);
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  /** @param {API.State} state */
  #receive(state) {
    this.#heard = Date.now();
    this.#ahead = Date.parse(state.now) - this.#heard;
    this.#link = "open";
    this.#attempts = 0;
    // Nobody may miss an alarm because of a pause.
    const alarm = state.people.latest_high_at;
    if (this.#paused !== null && alarm !== null && Date.parse(alarm) > this.#paused) this.#paused = null;
    if (this.#paused !== null) return;
    this.#state = state;
    this.#render(state.chart_points);
  }

  #watch() {
    if (this.#awake === null) return;
    const now = Date.now(), heard = this.#heard ?? 0;
    if (now - Math.max(heard, this.#awake) > silence) this.#link = "cut";
    if (now - Math.max(heard, this.#opened) > silence && this.#retry === undefined) this.#reopen();
    if (Date.now() - this.#shown >= 1000) this.#render();
  }

  /** @param {View["points"]} points */
  #render(points = null) {
    this.#shown = Date.now();
    const state = this.#state;
    this.#show({
      state, points, link: this.#link, paused: this.#paused, now: this.now,
      heard: this.#heard === null ? null : this.#heard + this.#ahead,
      current: this.#link === "open" && this.#paused === null && state?.database.state === "ready",
    });
  }
}
