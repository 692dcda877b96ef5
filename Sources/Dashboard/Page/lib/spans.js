// @ts-check
// The last minutes of a customer in figures.

import { longestJoin } from "../chart/holes.js";

/**
 * What a span of time was like; null where there was no reading. Seconds are whole ones.
 * @typedef {{minutes: number, lowest: number | null, median: number | null, highest: number | null, beyond: number,
 *   silent: number}} Span
 */

/**
 * The figures of the last minutes. A reading counts until the next one, or as long as is usual between two.
 * @param {number[][]} points readings [ms, bpm, anomaly], or buckets [ms, lowest, highest, anomalies, median]
 * @param {number} bucketSeconds 0 for readings
 * @param {{lowest: number, highest: number}} limits beyond which a rate is counted
 * @param {{minutes: number, now: number}} span
 * @returns {Span}
 */
export function spanOf(points, bucketSeconds, { lowest, highest }, { minutes, now }) {
  const from = now - minutes * 60_000, longest = Math.max(longestJoin(points), bucketSeconds * 1000);
  const shown = points.filter(([ms]) => ms >= from && ms <= now);
  let covered = 0, beyond = 0;
  shown.forEach((point, index) => {
    const next = index + 1 < shown.length ? shown[index + 1][0] : now, length = Math.min(next - point[0], longest);
    const rate = bucketSeconds > 0 ? point[4] : point[1];
    covered += length;
    if (rate < lowest || rate > highest) beyond += length;
  });
  const rates = shown.map((point) => (bucketSeconds > 0 ? point[4] : point[1])).sort((a, b) => a - b);
  return {
    minutes, beyond: Math.round(beyond / 1000), silent: Math.max(0, Math.round((now - from - covered) / 1000)),
    lowest: shown.length === 0 ? null : Math.min(...shown.map((point) => point[1])),
    median: rates[Math.floor(rates.length / 2)] ?? null,
    highest: shown.length === 0 ? null : Math.max(...shown.map((point) => point[bucketSeconds > 0 ? 2 : 1])),
  };
}
