// @ts-check
// A customer's readings in the chosen time: the chart, its figures, and the same as CSV.

import { LineChart } from "../chart/line-chart.js";
import { activitySpans, activityTimes } from "../lib/activity.js";
import { element, part, setText } from "../lib/dom.js";
import { bandText } from "../lib/episode.js";
import { count, duration, isolated, timeText } from "../lib/format.js";
import { showCards } from "./cards.js";

const note = "A triangle marks an anomaly.";

export class History {
  #lines = new LineChart(part("chart", HTMLCanvasElement), { labels: false });

  /** The time at a place on the chart, in px from its left.
   * @param {number} x */
  timeAt(x) { return this.#lines.timeAt(x); }

  /**
   * @param {{readings: API.Readings, customer: API.CustomerDetails, episodes: API.Episode[],
   *   changes: API.EpisodeChange[]}} answers
   * @param {number} now
   */
  show({ readings, customer, episodes, changes }, now) {
    const { customer_id: name, limits, points } = readings;
    const from = Date.parse(readings.from), until = Date.parse(readings.until);
    const bucketSeconds = readings.bucket_seconds, activities = activitySpans(readings);
    this.#lines.show({
      from, until, bucketSeconds, limits, ownLimits: customer.own_limits, usual: customer.usual_rates, episodes,
      changes, activities, series: [{ name, slot: 0, points, latest: null }],
    });
    const span = `${timeText(from, now)} to ${timeText(until, now)}`;
    setText(part("chart-note"), bucketSeconds === 0 ? `Every reading from ${span}. ${note}` :
      `The median within the lowest and highest rate of each ${duration(bucketSeconds * 1000)}, from ${span}. ${note}` +
      kept(readings.rollups_until, now));
    part("chart-empty").hidden = points.length > 0;
    setText(part("chart-empty"), "No readings in this range.");
    part("chart").setAttribute("aria-label",
      `Heart rate of ${isolated(name)} from ${span}: ${inWords(readings)}; ${episodesInWords(episodes)}` +
      `${activitiesInWords(activities)}.`);
    showActivities(activities);
    showFigures(readings);
    const query = new URLSearchParams({ customer_id: name, from: readings.from, until: readings.until });
    part("csv", HTMLAnchorElement).href = `api/v1/readings.csv?${query}`;
  }
}

/**
 * What to say of days whose readings retention has dropped.
 * @param {string | null} until
 * @param {number} now
 */
function kept(until, now) {
  return until === null ? "" :
    ` Until ${timeText(Date.parse(until), now)} the figures of each minute are kept, not the readings.`;
}

/** @param {API.Readings} readings */
function inWords({ count: number, min, max, anomalies }) {
  return number === 0 ? "no readings" : `${number} readings from ${min} to ${max} bpm, ${anomalies} anomalies`;
}

/** @param {API.Episode[]} episodes */
function episodesInWords(episodes) {
  if (episodes.length === 0) return "no episodes";
  const more = episodes.length > 5 ? "; and more" : "";
  return `episodes: ${episodes.slice(0, 5).map(bandText).join("; ")}${more}`;
}

/** @param {import("../lib/activity.js").Span[]} spans */
function activitiesInWords(spans) {
  if (spans.length === 0) return "";
  return `; activity: ${activityTimes(spans).map(({ activity, time }) => `${activity} ${duration(time)}`).join(", ")}`;
}

/**
 * What the strip's bars mean, and how long each activity lasted.
 * @param {import("../lib/activity.js").Span[]} spans
 */
function showActivities(spans) {
  const times = activityTimes(spans), list = part("activities");
  list.hidden = times.length === 0;
  list.replaceChildren(...times.map(({ activity, time }) => element(
    "li", {}, element("span", { class: `effort effort-${activity}`, "aria-hidden": "true" }), `${activity} `,
    element("span", { class: "number" }, duration(time)))));
}

/** @param {API.Readings} readings */
function showFigures({ count: number, min, max, anomalies }) {
  showCards(part("figures"), [
    { name: "Readings", value: count(number) },
    { name: "Lowest", value: String(min ?? "–"), unit: "bpm" },
    { name: "Highest", value: String(max ?? "–"), unit: "bpm" },
    { name: "Anomalies", value: count(anomalies) },
  ]);
}
