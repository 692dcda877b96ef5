// @ts-check
// A customer's anomalies in the chosen time: the latest ones, and earlier ones as far as the viewer asked for them.

import { element, part } from "../lib/dom.js";
import { duration, timeText } from "../lib/format.js";
import { fetchJSON } from "../lib/request.js";
import { runsOf } from "../lib/runs.js";

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
    const rows = runsOf(this.#items).map((run) => element("tr", {},
      element("td", {}, element("time", { datetime: run.from }, timeText(Date.parse(run.from), now))),
      element("td", { class: "right" }, run.from === run.until ? "" :
        duration(Date.parse(run.until) - Date.parse(run.from))),
      element("td", { class: "right" }, String(run.count)),
      element("td", { class: "right" },
        run.lowest === run.highest ? `${run.lowest}` : `${run.lowest} to ${run.highest}`),
      element("td", { class: "wrap" }, run.reason)));
    const table = part("anomalies", HTMLTableElement);
    table.tBodies[0].replaceChildren(...rows);
    table.hidden = rows.length === 0;
    part("anomalies-empty").hidden = rows.length > 0;
    part("more").hidden = this.#next === null;
  }
}
