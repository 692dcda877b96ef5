import assert from "node:assert/strict";
import { test } from "node:test";
import { bandText, isNeeded, labelRows, shownSeverity } from "../../Sources/Dashboard/Page/lib/episode.js";

const open = {
  kind: "tachycardia", severity: "medium", worst_severity: "high", closed_at: null, acknowledged_at: null,
};
const closed = { ...open, closed_at: "2026-02-19T15:53:03.123Z" };

test("an open episode counts as severe as it is now, a closed one as it was at its worst", () => {
  assert.equal(shownSeverity(open), "medium");
  assert.equal(shownSeverity(closed), "high");
  assert.equal(bandText(open), "tachycardia, medium");
  assert.equal(bandText(closed), "tachycardia, high");
});

test("only an open episode of high severity that nobody has acknowledged is red", () => {
  const high = { ...open, severity: "high" };
  assert.equal(isNeeded(high), true);
  assert.equal(isNeeded(open), false);
  assert.equal(isNeeded({ ...high, closed_at: closed.closed_at }), false);
  assert.equal(isNeeded({ ...high, acknowledged_at: closed.closed_at }), false);
});

test("labels that would overlap go below each other, as far as there are rows", () => {
  const at = (start) => ({ start, width: 100 });
  assert.deepEqual(labelRows([at(0), at(200), at(400)], 3), [0, 0, 0]);
  assert.deepEqual(labelRows([at(0), at(50), at(108), at(109)], 2), [0, 1, null, 0]);
  assert.deepEqual(labelRows([], 2), []);
});
