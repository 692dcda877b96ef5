// @ts-check
// The readings behind the overview's chart: fetched once for the chosen time, then kept up to date from the stream.

import { fetchJSON } from "./request.js";

const longestHole = 3000; // ms of missing events that the next event still fills
const resync = 60_000; // ms after which buckets are fetched again, since late readings may have changed them

/**
 * One customer's line on a chart. Points are [ms, bpm, anomaly], or of a bucket [ms, lowest, highest, anomalies,
 * median].
 * @typedef {{name: string, slot: number, points: number[][], latest: {x: number, y: number} | null}} Line
 */

export class Series {
  minutes = 5;
  bucketSeconds = 0;
  /** @type {Line[]} */
  #series = [];
  #fetched = 0;
  #taken = 0;
  #fetching = false;
  /** @type {string[]} */
  #names = [];
  /** @type {(string | null)[]} */
  #slots = [];

  /**
   * The readings within the chosen time before `now` (ms), as LineChart shows them.
   * @param {number} now
   */
  within(now) {
    const from = now - this.minutes * 60_000 - this.bucketSeconds * 1000;
    for (const series of this.#series) {
      const kept = series.points.findIndex(([ms]) => ms >= from);
      series.points.splice(0, kept < 0 ? series.points.length : kept);
    }
    return this.#series;
  }

  /** Forgets everything, so that it is fetched again. */
  reset(minutes = this.minutes) {
    this.minutes = minutes;
    this.#fetched = 0;
  }

  /**
   * Takes a state's readings; fetches when these are not enough.
   * @param {API.State} state
   * @param {API.State["chart_points"]} points
   */
  async take(state, points) {
    const now = Date.now();
    const hole = now - this.#taken > longestHole;
    const others = JSON.stringify(state.most_active) !== JSON.stringify(this.#names);
    const old = this.bucketSeconds > 0 && now - this.#fetched > resync;
    this.#taken = now;
    if (this.#fetched === 0 || hole || others || old) await this.#fetch(state.most_active);
    this.#merge(points);
  }

  /** @param {string[]} names */
  async #fetch(names) {
    if (this.#fetching) return;
    this.#fetching = true;
    const minutes = this.minutes;
    try {
      const answer = await fetchJSON("/api/v1/chart", { minutes });
      if (minutes !== this.minutes) return;
      this.bucketSeconds = answer.bucket_seconds;
      this.#take(names, new Map(answer.series.map((each) => [each.customer_id, each.points])));
      this.#fetched = Date.now();
    } catch {
      this.#fetched = 0;
    } finally {
      this.#fetching = false;
    }
  }

  /**
   * A customer who stays among the most active keeps the colour, whatever the order.
   * @param {string[]} names
   * @param {Map<string, number[][]>} known
   */
  #take(names, known) {
    this.#names = names;
    this.#slots = this.#slots.map((name) => (name !== null && names.includes(name) ? name : null));
    this.#series = names.map((name) => {
      const free = this.#slots.includes(null) ? this.#slots.indexOf(null) : this.#slots.length;
      const slot = this.#slots.includes(name) ? this.#slots.indexOf(name) : free;
      this.#slots[slot] = name;
      const points = known.get(name) ?? [], last = points.at(-1);
      // A bucket does not have its last reading: the stream brings it a moment later.
      return { name, slot, points, latest: last && this.bucketSeconds === 0 ? { x: last[0], y: last[1] } : null };
    });
  }

  /** @param {API.State["chart_points"]} points */
  #merge(points) {
    const arrived = new Map(points.map((each) => [each.customer_id, each.points]));
    for (const series of this.#series) {
      const known = series.points;
      for (const point of arrived.get(series.name) ?? []) {
        if (series.latest === null || series.latest.x <= point[0]) series.latest = { x: point[0], y: point[1] };
        if (this.bucketSeconds > 0) this.#mergeIntoBucket(known, point);
        else insert(known, point);
      }
    }
  }

  /**
   * @param {number[][]} known
   * @param {number[]} point
   */
  #mergeIntoBucket(known, [ms, bpm, anomaly]) {
    const size = this.bucketSeconds * 1000, start = Math.floor(ms / size) * size;
    const bucket = known.findLast(([at]) => at === start);
    if (bucket === undefined) insert(known, [start, bpm, bpm, anomaly, bpm]);
    else {
      bucket[1] = Math.min(bucket[1], bpm);
      bucket[2] = Math.max(bucket[2], bpm);
      // Events repeat readings: that a bucket has an anomaly is certain, their number comes with the next fetch.
      bucket[3] = Math.max(bucket[3], anomaly);
    }
  }
}

/**
 * Puts a point at its place in time; one that is known already stays as it is.
 * @param {number[][]} known
 * @param {number[]} point
 */
function insert(known, point) {
  let index = known.length;
  while (index > 0 && known[index - 1][0] > point[0]) index -= 1;
  if (index === 0 || known[index - 1][0] !== point[0]) known.splice(index, 0, point);
}

/**
 * A line in figures; null for one without points. Of a bucket, the highest rate is the last one.
 * @param {Line} line
 * @param {number} bucketSeconds
 */
export function summary({ name, points }, bucketSeconds) {
  const last = points.at(-1), high = bucketSeconds > 0 ? 2 : 1;
  if (last === undefined) return null;
  return {
    name, last: last[high],
    lowest: Math.min(...points.map((point) => point[1])),
    highest: Math.max(...points.map((point) => point[high])),
    anomalies: points.reduce((sum, point) => sum + point[high + 1], 0),
  };
}
