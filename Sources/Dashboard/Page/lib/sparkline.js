// @ts-check
// The small line of a customer's last five minutes.

const steps = 30; // of a trend
const longestJoin = 3; // times the usual step that a line still joins

/**
 * The path of a line 100 wide and 24 high, with its holes, and where it ends. Its height is at least 40 bpm, so that
 * calm looks calm.
 * @param {(number | null)[]} trend the rate of each step, oldest first
 * @param {number} limit drawn too when it is one; NaN for none
 */
export function sparkline(trend, limit = NaN) {
  const known = trend.flatMap((bpm, index) => (bpm === null ? [] : [{ bpm, index }]));
  if (known.length === 0) return { path: "", limit: null, end: null };
  const rates = [...known.map(({ bpm }) => bpm), ...Number.isNaN(limit) ? [] : [limit]];
  const lowest = Math.min(...rates), highest = Math.max(...rates);
  const height = Math.max(40, highest - lowest), middle = (lowest + highest) / 2;
  const x = (/** @type {number} */ index) => index / (steps - 1) * 100;
  const y = (/** @type {number} */ bpm) => 12 - (bpm - middle) / height * 20;
  const gaps = known.slice(1).map(({ index }, at) => index - known[at].index).sort((a, b) => a - b);
  const most = longestJoin * (gaps[Math.floor(gaps.length / 2)] ?? 1);
  const path = known.map(({ bpm, index }, at) => {
    const isJoined = at > 0 && index - known[at - 1].index <= most;
    return `${isJoined ? "L" : "M"}${x(index).toFixed(1)},${y(bpm).toFixed(1)}`;
  }).join("");
  const last = known[known.length - 1];
  return { path, limit: Number.isNaN(limit) ? null : y(limit), end: { x: x(last.index), y: y(last.bpm) } };
}
