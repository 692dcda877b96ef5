import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bandText, isNeeded, isUnseen, labelRows, limitOf, seenSeverity, shownSeverity,
} from "../../Sources/Dashboard/Page/lib/episode.js";

const open = {
  kind: "tachycardia", severity: "medium", worst_severity: "high", closed_at: null, attention: "new",
  unseen_severity: "medium",
};
const closed = { ...open, closed_at: "2026-02-19T15:53:03.123Z" };

test("an open episode counts as severe as it is now, a closed one as it was at its worst", () => {
  assert.equal(shownSeverity(open), "medium");
  assert.equal(shownSeverity(closed), "high");
  assert.equal(bandText(open), "tachycardia, medium");
  assert.equal(bandText(closed), "tachycardia, high");
});

test("only high severity that nobody has seen, or not for long, is red", () => {
  const high = { ...open, severity: "high" };
  for (const [attention, red, unseen] of [
    ["new", true, true], ["reminder", true, true], ["eased", false, true], ["ended", false, true],
    ["seen", false, false], ["none", false, false],
  ]) {
    assert.equal(isNeeded({ ...high, attention }), red, attention);
    assert.equal(isUnseen({ ...high, attention }), unseen, attention);
  }
  assert.equal(isNeeded(open), false);
});

test("an acknowledgement is given for the worst that nobody has seen, or for what is there now", () => {
  assert.equal(seenSeverity({ severity: "medium", unseen_severity: "high" }), "high");
  assert.equal(seenSeverity({ severity: "medium", unseen_severity: null }), "medium");
});

test("a reason names the limit", () => {
  assert.equal(limitOf("bpm 131 to 174 for 94 s, limit 130"), 130);
  assert.equal(limitOf("no reading for 12 s, usually one every 1.0 s"), NaN);
});

test("labels that would overlap go below each other, as far as there are rows", () => {
  const at = (start) => ({ start, width: 100 });
  assert.deepEqual(labelRows([at(0), at(200), at(400)], 3), [0, 0, 0]);
  assert.deepEqual(labelRows([at(0), at(50), at(108), at(109)], 2), [0, 1, null, 0]);
  assert.deepEqual(labelRows([], 2), []);
});
