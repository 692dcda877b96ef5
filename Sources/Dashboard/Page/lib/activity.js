// @ts-check
// What a customer was doing, as far as the sensor has told, as spans of time.

import { longestJoin } from "../chart/holes.js";

/** The activities in the order of their effort. */
export const activities = /** @type {API.Activity[]} */ (["sleep", "rest", "walk", "exercise"]);

/** @typedef {{activity: API.Activity, from: number, until: number}} Span */

/**
 * Points of one activity that follow each other are one span. A point lasts until the next one, or, where there is a
 * hole, for its bucket.
 * @param {Pick<API.Readings, "points" | "activities" | "bucket_seconds">} readings
 * @returns {Span[]} in the order of time
 */
export function activitySpans({ points, activities: told, bucket_seconds: bucketSeconds }) {
  const bucket = bucketSeconds * 1000, longest = Math.max(longestJoin(points), 2.5 * bucket);
  /** @type {Span[]} */
  const spans = [];
  for (const [index, activity] of told.entries()) {
    if (activity === null) continue;
    const from = points[index][0], next = points[index + 1]?.[0] ?? Infinity;
    const until = next - from <= longest ? next : from + bucket;
    const last = spans.at(-1);
    if (last?.activity === activity && last.until === from) last.until = until;
    else spans.push({ activity, from, until });
  }
  return spans;
}

/**
 * How long each activity lasted, in ms; only of those that there are.
 * @param {Span[]} spans
 */
export function activityTimes(spans) {
  return activities.flatMap((activity) => {
    const own = spans.filter((span) => span.activity === activity);
    return own.length === 0 ? [] : [{ activity, time: own.reduce((sum, { from, until }) => sum + until - from, 0) }];
  });
}
