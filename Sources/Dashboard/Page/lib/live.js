// The stream of states from the server, and what is known about the stream itself.

const silence = 5000; // ms without a word (the server sends one a second) after which the stream counts as cut
const longestWait = 5000; // ms between two attempts to reconnect

/**
 * Calls `show(view)` at every state and at least once a second. A view has
 *   state: the latest state taken from the stream, null before the first
 *   points: the chart's readings that came with it, only in the call that a state caused
 *   link: "connecting", "open" or "cut"; heard: when the last state came (ms)
 *   paused: since when the viewer has paused (ms), or null
 *   now: the server's clock (ms); current: whether the numbers of `state` may be shown as current
 */
export class Live {
  #show;
  #source = null;
  #state = null;
  #link = "connecting";
  #awake = null;
  #opened = 0;
  #heard = null;
  #ahead = 0;
  #paused = null;
  #attempts = 0;
  #retry = null;
  #shown = 0;

  constructor(show) {
    this.#show = show;
  }

  start() {
    setInterval(() => this.#watch(), 500);
    // A browser has few connections to one server for all its tabs (six by HTTP/1.1), and keeps those of pages that one
    // has left for a while: who does not look holds none.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#rest() : this.#wake()));
    addEventListener("pagehide", () => this.#rest());
    addEventListener("pageshow", () => this.#wake());
    if (!document.hidden) this.#wake();
  }

  get now() { return Date.now() + this.#ahead; }

  pause(on) {
    this.#paused = on ? this.now : null;
    this.#render();
  }

  #wake() {
    if (this.#awake !== null) return;
    this.#awake = Date.now();
    this.#open();
  }

  #rest() {
    clearTimeout(this.#retry);
    this.#retry = null;
    this.#source?.close();
    this.#awake = null;
    this.#link = "connecting";
  }

  #open() {
    clearTimeout(this.#retry);
    this.#retry = null;
    this.#source?.close();
    this.#opened = Date.now();
    this.#source = new EventSource("/api/v1/events");
    this.#source.addEventListener("state", (event) => this.#receive(JSON.parse(event.data)));
    this.#source.addEventListener("error", () => this.#reopen());
  }

  /** The browser's own attempts end at the first answer that is not a stream; these never end. */
  #reopen() {
    this.#source?.close();
    if (this.#retry !== null) return;
    this.#attempts += 1;
    const wait = Math.min(longestWait, 500 * 2 ** (this.#attempts - 1)) * (0.75 + Math.random() / 2);
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #receive(state) {
    this.#heard = Date.now();
    this.#ahead = Date.parse(state.now) - this.#heard;
    this.#link = "open";
    this.#attempts = 0;
    if (this.#paused !== null) return;
    this.#state = state;
    this.#render(state.chart_points);
  }

  #watch() {
    if (this.#awake === null) return;
    const now = Date.now(), heard = this.#heard ?? 0;
    if (now - Math.max(heard, this.#awake) > silence) this.#link = "cut";
    if (now - Math.max(heard, this.#opened) > silence && this.#retry === null) this.#reopen();
    if (Date.now() - this.#shown >= 1000) this.#render();
  }

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
