// @ts-check
// A customer's anomalies in the chosen time: the latest ones, and earlier ones as far as the viewer asked for them.

import { element, part } from "../lib/dom.js";
import { timeText } from "../lib/format.js";
import { fetchJSON } from "../lib/request.js";

export class AnomalyPages {
  /** @type {API.Anomaly[]} */
  #items = [];
  /** @type {string | null} */
  #next = null;

  /** Forgets what is shown: another time was chosen. */
  reset() {
    this.#items = [];
    this.#next = null;
  }

  /**
   * Asks for one page.
   * @param {API.Readings} readings whose and in what time
   * @param {string | null} before
   */
  ask({ customer_id, from, until }, before = null) {
    return fetchJSON("/api/v1/anomalies", { customer_id, from, until, before, limit: 50 });
  }

  /**
   * Takes the latest anomalies. What was shown of earlier ones stays.
   * @param {API.Anomalies} latest
   * @param {API.Readings} readings
   */
  take({ items, next_before: next }, { from, until }) {
    const last = items.at(-1)?.recorded_at ?? until;
    const kept = this.#items.filter(({ recorded_at: at }) => at < last && at >= from);
    this.#items = [...items, ...kept];
    if (kept.length === 0) this.#next = next;
  }

  /**
   * Adds a page of earlier ones.
   * @param {API.Readings} readings
   * @param {() => boolean} isWanted whether the answer still counts when it comes
   */
  async addEarlier(readings, isWanted) {
    const { items, next_before: next } = await this.ask(readings, this.#next);
    if (!isWanted()) return;
    const known = new Set(this.#items.map(({ recorded_at: at }) => at));
    this.#items = [...this.#items, ...items.filter(({ recorded_at: at }) => !known.has(at))];
    this.#next = next;
  }

  /** @param {number} now */
  show(now) {
    const rows = this.#items.map(({ recorded_at: at, heart_rate: bpm, anomaly_reason: reason }) => element("tr", {},
      element("td", {}, element("time", { datetime: at }, timeText(Date.parse(at), now))),
      element("td", { class: "right" }, String(bpm)), element("td", { class: "wrap" }, reason ?? "")));
    const table = part("anomalies", HTMLTableElement);
    table.tBodies[0].replaceChildren(...rows);
    table.hidden = rows.length === 0;
    part("anomalies-empty").hidden = rows.length > 0;
    part("more").hidden = this.#next === null;
  }
}
