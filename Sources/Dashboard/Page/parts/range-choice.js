// @ts-check
// Which time of a customer is shown: the last minutes, by a button, or from one moment until another, by two fields.

import { buttonOf, part, press, setText } from "../lib/dom.js";
import { fieldText, fieldTime } from "../lib/format.js";

const longest = 31 * 86_400_000; // ms that the interface gives at once

export class RangeChoice {
  #minutes = 15;
  /** @type {{from: number, until: number} | null} */
  #fixed = null;
  #edited = false;
  #chosen;

  /** @param {() => void} chosen called when the viewer has chosen another time */
  constructor(chosen) {
    this.#chosen = chosen;
    part("presets").addEventListener("click", (event) => {
      const button = buttonOf(event);
      if (button) this.#choose(Number(button.dataset.minutes), null, button);
    });
    part("range-form").addEventListener("submit", (event) => this.#submit(event));
    part("range-form").addEventListener("input", () => { this.#edited = true; });
  }

  /** Whether it ends now, and is short enough to be fetched often. */
  get isShortAndLive() { return this.#fixed === null && this.#minutes <= 60; }

  /**
   * The shown time in ms, of which the live one ends now.
   * @param {number} now
   */
  at(now) {
    return this.#fixed ?? { from: now - this.#minutes * 60_000, until: now };
  }

  /**
   * The fields follow the shown time, but never while somebody edits them.
   * @param {number} from
   * @param {number} until
   */
  fillFields(from, until) {
    if (this.#edited || this.#fixed !== null || part("range-form").contains(document.activeElement)) return;
    part("from", HTMLInputElement).value = fieldText(from);
    part("until", HTMLInputElement).value = fieldText(until);
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const from = fieldTime(part("from", HTMLInputElement).value);
    const until = fieldTime(part("until", HTMLInputElement).value);
    if (!(until > from)) return showRangeError("The end must be after the start.");
    if (until - from > longest) return showRangeError("At most 31 days can be shown at once.");
    this.#choose(this.#minutes, { from, until }, null);
  }

  /**
   * @param {number} minutes
   * @param {{from: number, until: number} | null} fixed
   * @param {Element | null} button
   */
  #choose(minutes, fixed, button) {
    this.#minutes = minutes;
    this.#fixed = fixed;
    this.#edited = false;
    press(part("presets"), button);
    showRangeError("");
    this.#chosen();
  }
}

/** @param {string} text */
export function showRangeError(text) {
  setText(part("range-error"), text);
}
