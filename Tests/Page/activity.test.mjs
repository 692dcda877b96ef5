import assert from "node:assert/strict";
import { test } from "node:test";
import { activitySpans, activityTimes } from "../../Sources/Dashboard/Page/lib/activity.js";

const readings = (bucketSeconds, ...points) => ({
  bucket_seconds: bucketSeconds, points: points.map(([second]) => [second * 1000, 70, 0]),
  activities: points.map(([, activity]) => activity),
});
const seconds = (spans) => spans.map(({ activity, from, until }) => [activity, from / 1000, until / 1000]);

test("readings of one activity are a span until the next reading", () => {
  const spans = activitySpans(readings(0, [0, "walk"], [1, "walk"], [2, "rest"], [3, null], [4, "rest"], [5, "rest"]));
  assert.deepEqual(seconds(spans), [["walk", 0, 2], ["rest", 2, 3], ["rest", 4, 5]]);
  assert.deepEqual(activityTimes(spans), [{ activity: "rest", time: 2000 }, { activity: "walk", time: 2000 }]);
});

test("a hole ends a span, and a bucket lasts as long as it is", () => {
  assert.deepEqual(seconds(activitySpans(readings(0, [0, "rest"], [1, "rest"], [600, "rest"], [601, "rest"]))),
    [["rest", 0, 1], ["rest", 600, 601]]);
  assert.deepEqual(seconds(activitySpans(readings(60, [0, "sleep"], [60, "sleep"], [120, "sleep"], [600, "sleep"]))),
    [["sleep", 0, 180], ["sleep", 600, 660]]);
});

test("without activities there is nothing", () => {
  assert.deepEqual(activitySpans({ bucket_seconds: 0, points: [[0, 70, 0]], activities: [] }), []);
  assert.deepEqual(activityTimes([]), []);
});
