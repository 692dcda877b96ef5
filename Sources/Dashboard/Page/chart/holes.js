// @ts-check
// When two readings belong together, and when there is a hole between them.

const shortest = 5000; // ms

/**
 * The longest time in ms between two points [ms, ...] that a line still joins: three times the usual step.
 * @param {number[][]} points
 */
export function longestJoin(points) {
  const steps = points.slice(1).map(([ms], index) => ms - points[index][0]).sort((a, b) => a - b);
  return Math.max(shortest, 3 * (steps[Math.floor(steps.length / 2)] ?? 0));
}
