// When two readings belong together, and when there is a hole between them.

const least = 5000; // ms

/** The longest time in ms between two points [ms, ...] that a line still joins: three times what is usual among them. */
export function longestJoin(points) {
  const steps = points.slice(1).map(([ms], index) => ms - points[index][0]).sort((a, b) => a - b);
  return Math.max(least, 3 * (steps[Math.floor(steps.length / 2)] ?? 0));
}
