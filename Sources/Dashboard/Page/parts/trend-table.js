// @ts-check
// A customer's last 5, 15 and 60 minutes in figures.

import { element, part } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { fetchJSON } from "../lib/request.js";
import { spanOf } from "../lib/spans.js";

const spans = [5, 15, 60]; // min
const refresh = 15_000; // ms

export class TrendTable {
  #asked = 0;

  /**
   * Fetches and shows the figures when it is time to.
   * @param {API.CustomerDetails} customer
   * @param {number} now
   */
  async show({ customer_id: id, own_limits: own }, now) {
    if (Date.now() - this.#asked < refresh) return;
    this.#asked = Date.now();
    try {
      const from = new Date(now - Math.max(...spans) * 60_000).toISOString(), until = new Date(now).toISOString();
      const answer = await fetchJSON("/api/v1/readings", { customer_id: id, from, until, buckets: 720 });
      const { points, bucket_seconds: bucketSeconds, limits: { heart_rate_min: least, heart_rate_max: most } } = answer;
      const limits = { lowest: own?.heart_rate_min ?? least, highest: own?.heart_rate_max ?? most };
      const rows = spans.map((minutes) => spanOf(points, bucketSeconds, limits, { minutes, now }));
      part("trend", HTMLTableElement).tBodies[0].replaceChildren(...rows.map(rowOf));
    } catch {
      // What is shown stays; the page says why nothing new comes.
    }
  }
}

/** @param {import("../lib/spans.js").Span} span */
function rowOf({ minutes, lowest, median, highest, beyond, silent }) {
  const cell = (/** @type {string | number | null} */ value) =>
    element("td", { class: "right" }, String(value ?? "–"));
  const time = (/** @type {number} */ seconds) => cell(seconds === 0 ? "0" : duration(seconds * 1000));
  return element("tr", {}, element("th", { scope: "row" }, `${minutes} min`), cell(lowest), cell(median), cell(highest),
    time(beyond), time(silent));
}
