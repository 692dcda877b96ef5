// @ts-check
// Anomalies that follow each other are one run.

const longestStep = 10_000; // ms between two anomalies of a run

/**
 * A run of anomalies of one kind.
 * @typedef {{from: string, until: string, lowest: number, highest: number, count: number, reason: string}} Run
 */

/**
 * Joins anomalies of the same kind that follow each other.
 * @param {API.Anomaly[]} anomalies the latest first
 * @returns {Run[]} the latest first
 */
export function runsOf(anomalies) {
  /** @type {Run[]} */
  const runs = [];
  for (const { recorded_at: at, heart_rate: bpm, anomaly_reason: reason } of anomalies) {
    const last = runs[runs.length - 1], kind = kindOf(reason);
    const isNear = last !== undefined && Date.parse(last.from) - Date.parse(at) <= longestStep;
    if (isNear && kindOf(last.reason) === kind) {
      Object.assign(last, {
        from: at, lowest: Math.min(last.lowest, bpm), highest: Math.max(last.highest, bpm), count: last.count + 1,
      });
    } else runs.push({ from: at, until: at, lowest: bpm, highest: bpm, count: 1, reason: reason ?? "" });
  }
  return runs;
}

/** @param {string | null} reason */
const kindOf = (reason) => (reason ?? "").split(" ")[0];
