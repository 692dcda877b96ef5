// @ts-check
// The small line of a customer's latest readings.

import { longestJoin } from "./holes.js";

/**
 * The path of a line 100 wide and 24 high: from left to right in time, with its holes. Its height is at least 40 bpm,
 * so that calm looks calm.
 * @param {number[][]} trace
 */
export function tracePath(trace) {
  if (trace.length < 2) return "";
  const times = trace.map(([ms]) => ms), rates = trace.map(([, bpm]) => bpm);
  const first = times[0], span = Math.max(1, times[times.length - 1] - first);
  const lowest = Math.min(...rates), highest = Math.max(...rates);
  const height = Math.max(40, highest - lowest), middle = (lowest + highest) / 2;
  const longest = longestJoin(trace);
  return trace.map(([ms, bpm], index) => {
    const isJoined = index > 0 && ms - times[index - 1] <= longest;
    const x = (ms - first) / span * 100, y = 12 - (bpm - middle) / height * 20;
    return `${isJoined ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`;
  }).join("");
}
