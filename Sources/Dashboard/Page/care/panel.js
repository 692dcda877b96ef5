// @ts-check
// What people set for one customer, and what was set before: limits, pauses, groups, notes, each with who and when.

import { changeCustomer } from "./changes.js";
import { plain } from "./actor.js";
import { element, part, setText } from "../lib/dom.js";
import { minuteText, timeText } from "../lib/format.js";
import { fetchJSON } from "../lib/request.js";

const refresh = 10_000; // ms between two looks at what was done

export class CarePanel {
  #parts = {
    lowest: part("limit-min", HTMLInputElement), highest: part("limit-max", HTMLInputElement),
    minutes: part("pause-minutes", HTMLSelectElement), groups: part("groups", HTMLInputElement),
    note: part("note", HTMLInputElement), more: part("care-more", HTMLButtonElement),
  };
  /** @type {API.CustomerDetails | null} */
  #customer = null;
  /** @type {API.Limits | null} */
  #common = null;
  /** @type {API.CareItem[]} */
  #items = [];
  #asked = 0;
  #now = 0;

  constructor() {
    const { lowest, highest, minutes, groups, note, more } = this.#parts;
    this.#onSubmit("limits-form", "limits", () => ({ heart_rate_min: limit(lowest), heart_rate_max: limit(highest) }));
    this.#onSubmit("pause-form", "pause", () => ({ minutes: Number(minutes.value) }));
    this.#onSubmit("groups-form", "groups", () => ({
      groups: groups.value.split(",").map(plain).filter((name) => name !== ""),
    }));
    this.#onSubmit("note-form", "note", () => ({ note: plain(note.value) }));
    part("pause-end").addEventListener("click", () => this.#change("pause", { minutes: 0 }));
    for (const field of [lowest, highest]) field.addEventListener("input", () => this.#drawLimits());
    more.addEventListener("click", () => this.#load(this.#items.at(-1)?.care_id ?? null));
  }

  /**
   * Shows what is set, and fetches what was done when it is time to.
   * @param {API.CustomerDetails} customer
   * @param {API.Limits} common
   * @param {number} now
   */
  show(customer, common, now) {
    const isFirst = this.#customer === null;
    [this.#customer, this.#common, this.#now] = [customer, common, now];
    if (isFirst) this.#fill();
    this.#drawLimits();
    this.#drawPause();
    this.#drawLog();
    if (Date.now() - this.#asked > refresh) this.#load(null);
  }

  /** Puts what is set into the fields. */
  #fill() {
    if (this.#customer === null || this.#common === null) return;
    const { own_limits: own, groups } = this.#customer, { lowest, highest } = this.#parts;
    lowest.placeholder = String(this.#common.heart_rate_min);
    highest.placeholder = String(this.#common.heart_rate_max);
    lowest.value = String(own?.heart_rate_min ?? "");
    highest.value = String(own?.heart_rate_max ?? "");
    this.#parts.groups.value = groups.join(", ");
    this.#parts.note.value = "";
  }

  /**
   * @param {string} form
   * @param {"limits" | "pause" | "groups" | "note"} what
   * @param {() => Record<string, unknown>} change
   */
  #onSubmit(form, what, change) {
    part(form).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change(what, change());
    });
  }

  /**
   * @param {"limits" | "pause" | "groups" | "note"} what
   * @param {Record<string, unknown>} change
   */
  async #change(what, change) {
    if (this.#customer === null) return;
    try {
      const changed = await changeCustomer(what, { customer_id: this.#customer.customer_id, ...change });
      if (changed === null) return;
      this.#customer = changed;
      setText(part("care-error"), "");
      this.#fill();
      this.#drawLimits();
      this.#drawPause();
      await this.#load(null);
    } catch (failure) {
      setText(part("care-error"), `Not changed: ${failure instanceof Error ? failure.message : failure}`);
    }
  }

  /** Says what is in force, and what the button changes that to. */
  #drawLimits() {
    if (this.#customer === null || this.#common === null) return;
    const { lowest, highest } = this.#parts, { own_limits: own } = this.#customer, common = this.#common;
    const text = (/** @type {number | null} */ least, /** @type {number | null} */ most) =>
      `${least ?? common.heart_rate_min} to ${most ?? common.heart_rate_max} bpm`;
    const [least, most] = [own?.heart_rate_min ?? null, own?.heart_rate_max ?? null];
    const isSame = limit(lowest) === least && limit(highest) === most;
    const kind = own === null ? "the common limits" : "own limits";
    setText(part("limits-change"), isSame ? `${text(least, most)}, ${kind}. An empty field stands for the common one.` :
      `From ${text(least, most)} to ${text(limit(lowest), limit(highest))}`);
  }

  #drawPause() {
    const { paused_until: until, paused_by: by } = /** @type {API.CustomerDetails} */ (this.#customer);
    const end = until === null ? 0 : Date.parse(until), isPaused = end > this.#now;
    part("pause-end").hidden = !isPaused;
    setText(part("pause-note"), isPaused ?
      `Paused until ${minuteText(end)} by ${by}. What is open is shown, and asks nobody.` :
      "Not paused.");
  }

  /** @param {number | null} before */
  async #load(before) {
    if (this.#customer === null) return;
    this.#asked = Date.now();
    try {
      const found = await fetchJSON("/api/v1/care", { customer_id: this.#customer.customer_id, limit: 20, before });
      const last = found.items.at(-1)?.care_id ?? 0;
      // What was shown before and is older than this page stays.
      const rest = before === null ? this.#items.filter(({ care_id: id }) => id < last) : [];
      this.#items = before === null ? [...found.items, ...rest] : [...this.#items, ...found.items];
      if (before !== null || rest.length === 0) this.#parts.more.hidden = found.next_before === null;
      this.#drawLog();
    } catch {
      // What is shown stays; the page says why nothing new comes.
    }
  }

  #drawLog() {
    const list = part("care-log"), shown = this.#items.map(({ care_id: id }) => id).join();
    if (list.dataset.shown === shown) return;
    list.dataset.shown = shown;
    list.replaceChildren(...this.#items.map((item) => this.#lineOf(item)));
  }

  /** @param {API.CareItem} item */
  #lineOf({ at, by, action, severity, note, old_value: old, new_value: set }) {
    const change = old === null && set === null ? "" : `: ${valueText(old)} → ${valueText(set)}`;
    const what = severity === null ? "" : ` (${severity})`, said = note === null ? "" : `, “${note}”`;
    return element("li", {}, element("time", { datetime: at }, timeText(Date.parse(at), this.#now)), " ",
      element("bdi", {}, by), ` ${action}${what}${change}${said}`);
  }
}

/** @param {HTMLInputElement} field */
function limit(field) {
  return field.value === "" ? null : Number(field.value);
}

/** A value of the log; a moment in the viewer's own zone.
 * @param {string | null} value */
function valueText(value) {
  if (value === null) return "none";
  const moment = /^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(moment) ? value : minuteText(moment);
}
