import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../Sources/Dashboard/Page/lib/format.js";

const minute = 60_000, hour = 60 * minute, day = 24 * hour;

test("a length of time has at most two units", () => {
  const table = [
    [-5, "0 s"], [999, "0 s"], [59_999, "59 s"], [minute, "1 min 0 s"], [10 * minute - 1, "9 min 59 s"],
    [10 * minute, "10 min"], [hour, "1 h 0 min"], [25 * hour, "1 d 1 h"],
  ];
  for (const [ms, text] of table) assert.equal(format.duration(ms), text);
  assert.equal(format.age(3 * hour + 5 * minute), "3 h");
});

test("numbers, rates, percentages and plurals", () => {
  assert.equal(format.count(1_234_567), "1,234,567");
  assert.equal(format.rate(99.94), "99.9");
  assert.equal(format.rate(1234), "1,234");
  assert.equal(format.percent(0), "0.00");
  assert.equal(format.percent(0.0004), "0.040");
  assert.equal(format.percent(0.25), "25.00");
  assert.equal(format.plural(1, "message"), "1 message");
  assert.equal(format.plural(0, "message"), "0 messages");
  assert.equal(format.plural(2, "anomaly", "anomalies"), "2 anomalies");
});

test("times are of the zone that the viewer chose, with the date when it is not today", () => {
  const now = Date.parse("2026-02-19T15:53:03.123Z");
  format.useUTC(true);
  assert.equal(format.isUTC(), true);
  assert.equal(format.zoneName(), "UTC");
  assert.equal(format.zoneOffset(now), 0);
  assert.equal(format.timeText(now - hour, now), "14:53:03");
  assert.equal(format.timeText(now - day, now), "18 Feb, 15:53:03");
  format.useUTC(false);
  assert.equal(format.zoneOffset(now), -new Date(now).getTimezoneOffset() * minute);
});

test("a field of local time gives back the moment that it was filled with", () => {
  const moment = Date.parse("2026-07-01T23:30:15Z");
  for (const utc of [true, false]) {
    format.useUTC(utc);
    assert.equal(format.fieldTime(format.fieldText(moment)), moment);
  }
  assert.ok(Number.isNaN(format.fieldTime("")));
});
