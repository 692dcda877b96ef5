import assert from "node:assert/strict";
import { test } from "node:test";

import { stepsOf } from "../../Sources/Dashboard/Page/lib/steps.js";

const at = (second) => new Date(second * 1000).toISOString();
const episode = (more) => ({
  episode_id: 7, opened_at: at(10), closed_at: null, severity: "high", worst_severity: "high", ...more,
});
const change = (second, severity, kind = "escalated", id = 7) => ({
  episode_id: id, changed_at: at(second), change: kind, severity,
});

test("an episode's severity goes by steps, the first of which holds from its start on", () => {
  const changes = [
    change(20, "medium", "opened"), change(25, "low", "opened", 8), change(30, "high"), change(50, "medium", "eased"),
    change(55, "medium", "sustained"), change(60, "medium", "closed"),
  ];
  assert.deepEqual(stepsOf(episode({ closed_at: at(60), severity: "medium" }), changes, 99_000), [
    { from: 10_000, until: 30_000, severity: "medium" }, { from: 30_000, until: 50_000, severity: "high" },
    { from: 50_000, until: 60_000, severity: "medium" },
  ]);
  assert.deepEqual(stepsOf(episode(), changes.slice(0, 3), 99_000), [
    { from: 10_000, until: 30_000, severity: "medium" }, { from: 30_000, until: 99_000, severity: "high" },
  ]);
});

test("without changes there is one step", () => {
  assert.deepEqual(stepsOf(episode({ closed_at: at(60), severity: "low" }), [], 99_000), [
    { from: 10_000, until: 60_000, severity: "high" },
  ]);
});
