import assert from "node:assert/strict";
import { test } from "node:test";
import { spanOf } from "../../Sources/Dashboard/Page/lib/spans.js";

const limits = { lowest: 40, highest: 180 }, now = 1_000_000;
const each = (seconds, rate) =>
  Array.from({ length: seconds }, (_, index) => [now - (seconds - index) * 1000, rate, 0]);

test("a quiet minute of readings each second has no silence and nothing beyond", () => {
  assert.deepEqual(spanOf(each(300, 70), 0, limits, { minutes: 5, now }),
    { minutes: 5, lowest: 70, median: 70, highest: 70, beyond: 0, silent: 0 });
});

test("what is beyond and what is missing is counted in seconds", () => {
  const points = each(300, 70).map((point, index) => (index >= 200 ? [point[0], 190, 1] : point)).slice(60);
  const span = spanOf(points, 0, limits, { minutes: 5, now });
  assert.equal(span.beyond, 100);
  assert.equal(span.silent, 60);
  assert.deepEqual([span.lowest, span.median, span.highest], [70, 70, 190]);
});

test("of buckets the median counts, and the ends are the lowest and highest", () => {
  const points = each(12, 0).map(([ms], index) => [now - (12 - index) * 5000, 60, index === 3 ? 200 : 80, 0, 70]);
  assert.deepEqual(spanOf(points, 5, limits, { minutes: 1, now }),
    { minutes: 1, lowest: 60, median: 70, highest: 200, beyond: 0, silent: 0 });
});

test("without a reading there is only silence", () => {
  assert.deepEqual(spanOf([], 0, limits, { minutes: 5, now }),
    { minutes: 5, lowest: null, median: null, highest: null, beyond: 0, silent: 300 });
});
