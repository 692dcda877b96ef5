// @ts-check
// The sound of the page: on or off, how loud, muted until when. Browsers make none before somebody has pressed
// something on the page: then it is blocked, which the page has to say.

import { patterns, play } from "./patterns.js";

/** @typedef {import("./patterns.js").Level} Level */

const muted = 120_000; // ms

/** @param {string} key */
function remembered(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

/**
 * @param {string} key
 * @param {string} value
 */
function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* Then it holds for this page. */ }
}

export class Sound {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {GainNode | null} */
  #output = null;
  #isOn = remembered("sound") === "on";
  #volume = Number(remembered("volume") ?? 70);
  /** @type {number | null} */
  #mutedUntil = null;
  /** @type {Level | null} */
  #level = null;
  #played = 0;

  get isOn() { return this.#isOn; }
  get volume() { return this.#volume; }
  /** When sound comes back, in ms; null when it is not muted. */
  get mutedUntil() { return this.#mutedUntil; }
  /** Whether it is on and the browser makes none. */
  get isBlocked() { return this.#isOn && this.#context?.state !== "running"; }

  /** Switches it on or off. On has to come from a press.
   * @param {boolean} on */
  async turn(on) {
    this.#isOn = on;
    this.#mutedUntil = null;
    remember("sound", on ? "on" : "off");
    if (on) await this.unblock();
    else await this.#context?.suspend();
  }

  /** Asks the browser for sound: it gives some only after a press. */
  async unblock() {
    if (!this.#isOn) return;
    if (this.#context === null) {
      this.#context = new AudioContext();
      this.#output = this.#context.createGain();
      this.#output.connect(this.#context.destination);
    }
    this.#setGain();
    // It never settles while the browser forbids it.
    this.#context.resume().catch(() => {});
  }

  /** @param {number} percent */
  setVolume(percent) {
    this.#volume = percent;
    remember("volume", String(percent));
    this.#setGain();
  }

  /** @param {boolean} on */
  mute(on) {
    this.#mutedUntil = on ? Date.now() + muted : null;
    this.#setGain();
  }

  /** Plays a pattern once, muted or not.
   * @param {Level} level */
  test(level) {
    this.mute(false);
    this.#play(level);
  }

  /**
   * Says what has to be heard now. A rise, or a new alarm of the same level, is heard at once and ends a mute.
   * @param {Level | null} level
   * @param {boolean} isNew
   */
  tell(level, isNew) {
    const now = Date.now();
    if (this.#mutedUntil !== null && (now >= this.#mutedUntil || isNew && level === "high")) this.mute(false);
    const due = level !== null && (isNew || level !== this.#level || now - this.#played >= patterns[level].every);
    this.#level = level;
    if (level !== null && due && this.#mutedUntil === null) this.#play(level);
  }

  /** @param {Level} level */
  #play(level) {
    if (!this.#isOn || this.#context === null || this.#output === null || this.isBlocked) return;
    this.#played = Date.now();
    play(this.#context, this.#output, level, this.#context.currentTime + 0.02);
    dispatchEvent(new CustomEvent("heartbeat-sound", { detail: level }));
  }

  #setGain() {
    if (this.#output === null || this.#context === null) return;
    // Loudness grows with the square: the steps of the slider sound alike.
    const gain = this.#mutedUntil === null ? (this.#volume / 100) ** 2 : 0;
    this.#output.gain.setValueAtTime(gain, this.#context.currentTime);
  }
}
