// @ts-check
// Which time of a customer is shown: the last minutes, by a button, or from one moment until another, by two fields.

import { buttonOf, part, press, setText } from "../lib/dom.js";
import { fieldText, fieldTime } from "../lib/format.js";

const longest = 3660 * 86_400_000; // ms that the interface gives at once

const shortest = 20_000; // ms: nothing is seen in less

/** @typedef {{from: number, until: number}} Range
 * @typedef {{minutes: number, fixed: Range | null}} Choice */

export class RangeChoice {
  /** @type {Choice} */
  #choice = given();
  /** @type {Choice[]} */
  #before = [];
  #edited = false;
  #chosen;

  /** @param {() => void} chosen called when the viewer has chosen another time */
  constructor(chosen) {
    this.#chosen = chosen;
    this.#pressPreset();
    part("presets").addEventListener("click", (event) => {
      const button = buttonOf(event);
      if (button) this.#choose({ minutes: Number(button.dataset.minutes), fixed: null });
    });
    part("range-form").addEventListener("submit", (event) => this.#submit(event));
    part("range-form").addEventListener("input", () => { this.#edited = true; });
    addEventListener("popstate", () => {
      this.#choice = given();
      this.#show();
    });
  }

  /** Whether it ends now, and is short enough to be fetched often. */
  get isShortAndLive() { return this.#choice.fixed === null && this.#choice.minutes <= 60; }

  /**
   * The shown time in ms, of which the live one ends now.
   * @param {number} now
   * @returns {Range}
   */
  at(now) {
    return this.#choice.fixed ?? { from: now - this.#choice.minutes * 60_000, until: now };
  }

  /**
   * The fields follow the shown time, but never while somebody edits them.
   * @param {number} from
   * @param {number} until
   */
  fillFields(from, until) {
    if (this.#edited || part("range-form").contains(document.activeElement)) return;
    part("from", HTMLInputElement).value = fieldText(from);
    part("until", HTMLInputElement).value = fieldText(until);
  }

  /**
   * Shows a time that was chosen on the chart: as near to it as can be shown.
   * @param {Range} wanted
   */
  zoomTo({ from, until }) {
    const middle = (from + until) / 2, half = Math.min(longest, Math.max(shortest, until - from)) / 2;
    this.#choose({ minutes: this.#choice.minutes, fixed: { from: middle - half, until: middle + half } });
  }

  /** Shows what was shown before. */
  back() {
    const before = this.#before.pop();
    if (before === undefined) return;
    this.#choice = before;
    this.#show();
    this.#writeAddress();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const from = fieldTime(part("from", HTMLInputElement).value);
    const until = fieldTime(part("until", HTMLInputElement).value);
    if (!(until > from)) return showRangeError("The end must be after the start.");
    if (until - from > longest) return showRangeError("At most ten years can be shown at once.");
    this.#choose({ minutes: this.#choice.minutes, fixed: { from, until } });
  }

  /** @param {Choice} choice */
  #choose(choice) {
    this.#before = [...this.#before, this.#choice].slice(-50);
    this.#choice = choice;
    this.#show();
    this.#writeAddress();
  }

  #show() {
    this.#edited = false;
    this.#pressPreset();
    showRangeError("");
    this.#chosen();
  }

  #pressPreset() {
    const { minutes, fixed } = this.#choice;
    press(part("presets"), fixed === null ? part("presets").querySelector(`[data-minutes="${minutes}"]`) : null);
  }

  /** What is shown can be reloaded and sent. */
  #writeAddress() {
    const address = new URLSearchParams(location.search), { minutes, fixed } = this.#choice;
    for (const name of ["minutes", "from", "until"]) address.delete(name);
    if (fixed === null) address.set("minutes", String(minutes));
    else {
      address.set("from", new Date(fixed.from).toISOString());
      address.set("until", new Date(fixed.until).toISOString());
    }
    history.replaceState(null, "", `?${address}`);
  }
}

/** What the address asks for.
 * @returns {Choice} */
function given() {
  const address = new URLSearchParams(location.search);
  const minutes = Number(address.get("minutes")) || 15;
  const from = Date.parse(address.get("from") ?? ""), until = Date.parse(address.get("until") ?? "");
  return { minutes, fixed: until > from && until - from <= longest ? { from, until } : null };
}

/** @param {string} text */
export function showRangeError(text) {
  setText(part("range-error"), text);
}
