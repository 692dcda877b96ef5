import assert from "node:assert/strict";
import { test } from "node:test";
import { runsOf } from "../../Sources/Dashboard/Page/lib/runs.js";

const anomaly = (second, bpm) => ({
  recorded_at: new Date(second * 1000).toISOString(), heart_rate: bpm,
  anomaly_reason: bpm > 100 ? `tachycardia (bpm=${bpm} > threshold=180)` : `bradycardia (bpm=${bpm} < threshold=40)`,
});

test("anomalies of one kind that follow each other are one run, the latest first", () => {
  const runs = runsOf([anomaly(105, 190), anomaly(104, 200), anomaly(103, 30), anomaly(50, 182), anomaly(49, 181)]);
  assert.deepEqual(runs.map(({ count, lowest, highest }) => [count, lowest, highest]),
    [[2, 190, 200], [1, 30, 30], [2, 181, 182]]);
  assert.equal(runs[0].from, anomaly(104, 0).recorded_at);
  assert.equal(runs[0].until, anomaly(105, 0).recorded_at);
  assert.deepEqual(runsOf([]), []);
});
