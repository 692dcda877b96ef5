// @ts-check
// Heart rates over time: raw readings as lines, buckets as their medians within the span from lowest to highest.

import {
  Chart, applyTheme, baseOptions, colour, onThemeChange, tickLabel, timeTicks, translucent,
} from "./chart-theme.js";
import { activityStrip, stripHeight } from "./activity-strip.js";
import { anomalyMarks, endLabels, limitLines } from "./line-chart-plugins.js";
import { usualStrip } from "./usual-strip.js";
import { episodeBands } from "./episode-bands.js";
import { dayText, plural, secondText } from "../lib/format.js";
import { longestJoin } from "./holes.js";

/** @typedef {import("../lib/series.js").Line} Line */

/**
 * What a chart shows. A line's slot is its colour's number from 0 to 5, its `latest` stands at its end. The customers
 * in `lost` have stopped sending.
 * @typedef {object} Shown
 * @property {number} from ms
 * @property {number} until ms
 * @property {number} bucketSeconds 0 for single readings
 * @property {API.Limits} limits
 * @property {API.CustomerDetails["own_limits"]} [ownLimits]
 * @property {Set<string>} [lost]
 * @property {API.Episode[]} [episodes]
 * @property {API.EpisodeChange[]} [changes] how their severity changed
 * @property {API.CustomerDetails["usual_rates"]} [usual]
 * @property {import("../lib/activity.js").Span[]} [activities]
 * @property {Line[]} series
 */

/** One chart on a canvas. `show` draws; everything it needs comes with each call. */
export class LineChart {
  /** @type {any} */
  #chart;
  /** @type {Shown | null} */
  #shown = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{labels: boolean}} options with `labels` each line carries its customer's name at its end
   */
  constructor(canvas, { labels }) {
    const options = baseOptions();
    options.layout = { padding: { top: 6, right: 6 } };
    options.interaction = { mode: "nearest", axis: "x", intersect: false };
    options.scales = {
      x: {
        type: "linear", grid: { display: false }, ticks: { maxRotation: 0, callback: tickLabel },
        afterBuildTicks: timeTicks,
      },
      y: {
        type: "linear", grid: { drawBorder: false, drawTicks: false },
        ticks: { padding: 8, stepSize: 40, includeBounds: false },
      },
    };
    options.plugins.tooltip = {
      callbacks: {
        title: (/** @type {any[]} */ items) => this.#titleOf(items),
        label: (/** @type {any} */ item) => this.#labelOf(item),
        footer: (/** @type {any[]} */ items) => this.#activityAt(items[0]?.parsed.x),
      },
      filter: (/** @type {any} */ item) => item.dataset.role === "line" || item.dataset.role === "max",
      usePointStyle: false,
    };
    options.plugins.endLabels = { on: labels };
    this.#chart = new Chart(canvas, {
      type: "line", data: { datasets: [] }, options,
      // What comes later is drawn above: names upon marks.
      plugins: [usualStrip, anomalyMarks, episodeBands, limitLines, endLabels, activityStrip],
    });
    onThemeChange(() => this.#draw());
  }

  /** The time at a place, in px from the canvas's left, in ms.
   * @param {number} x */
  timeAt(x) {
    const { left, right } = this.#chart.chartArea, { min, max } = this.#chart.scales.x;
    return min + (Math.min(right, Math.max(left, x)) - left) / (right - left) * (max - min);
  }

  /** @param {Shown} shown */
  show(shown) {
    this.#shown = shown;
    this.#draw();
  }

  #draw() {
    const shown = this.#shown;
    if (shown === null) return;
    const { x, y } = this.#chart.options.scales;
    applyTheme(this.#chart);
    x.min = shown.from;
    x.max = shown.until;
    [y.min, y.max] = heights(shown);
    this.#chart.data.datasets = shown.series.flatMap((series) =>
      shown.bucketSeconds > 0 ? envelope(series, shown.bucketSeconds) : [line(series)]);
    this.#chart.limits = shown.limits;
    this.#chart.ownLimits = shown.ownLimits ?? null;
    this.#chart.lost = shown.lost ?? new Set();
    this.#chart.episodes = [...shown.episodes ?? []].sort(
      (a, b) => Date.parse(a.opened_at) - Date.parse(b.opened_at));
    this.#chart.changes = shown.changes ?? [];
    this.#chart.usual = shown.usual ?? null;
    this.#chart.activities = shown.activities ?? [];
    this.#chart.options.layout.padding.bottom = this.#chart.activities.length > 0 ? stripHeight : 0;
    this.#chart.update("none");
  }

  /** @param {any[]} items */
  #titleOf(items) {
    return items.length > 0 && this.#shown !== null ? timeTitle(items[0].parsed.x, this.#shown) : "";
  }

  /** @param {number | undefined} ms */
  #activityAt(ms) {
    const found = this.#shown?.activities?.find(({ from, until }) => ms !== undefined && from <= ms && ms <= until);
    return found ? ` ${found.activity}` : "";
  }

  /** @param {any} item */
  #labelOf(item) {
    const point = item.raw, isBucket = point.least !== undefined;
    const anomalies = isBucket ? plural(point.anomalies, "anomaly", "anomalies") : "anomaly";
    const anomaly = point.anomalies ? `, ${anomalies}` : "";
    const rates = point.least === undefined || point.least === point.y ? `${point.y}` : `${point.least} to ${point.y}`;
    return ` ${item.dataset.label}: ${rates} bpm${anomaly}`;
  }
}

/**
 * @param {number} ms
 * @param {Shown} shown
 */
function timeTitle(ms, shown) {
  const long = shown.until - shown.from > 86_400_000;
  return long ? `${dayText(ms)}, ${secondText(ms)}` : secondText(ms);
}

/**
 * The lowest and highest rate on the axis: the limits and all readings, and some room.
 * @param {Shown} shown
 */
function heights({ limits, ownLimits, series, bucketSeconds }) {
  let lowest = Math.min(limits.heart_rate_min, ownLimits?.heart_rate_min ?? Infinity);
  let highest = Math.max(limits.heart_rate_max, ownLimits?.heart_rate_max ?? 0);
  for (const { points } of series) {
    for (const point of points) {
      lowest = Math.min(lowest, point[1]);
      highest = Math.max(highest, bucketSeconds > 0 ? point[2] : point[1]);
    }
  }
  return [Math.max(0, Math.floor((lowest - 5) / 20) * 20), Math.ceil((highest + 5) / 20) * 20];
}

/**
 * @param {string} name
 * @param {number} slot
 */
function style(name, slot) {
  const hex = colour(`line-${(slot % 6) + 1}`);
  return {
    label: name, hex, borderColor: hex, backgroundColor: hex, borderWidth: 1.75, pointRadius: 0, pointHitRadius: 0,
    borderJoinStyle: "round",
  };
}

/** @param {Line} line */
function line({ name, slot, points, latest }) {
  return {
    ...style(name, slot), latest, role: "line", spanGaps: longestJoin(points),
    data: points.map(([x, y, anomalies]) => ({ x, y, anomalies })),
  };
}

/**
 * The medians as a line, and the room between two edges filled. They meet where a bucket has one reading.
 * @param {Line} line
 * @param {number} bucketSeconds
 * @returns {object[]}
 */
function envelope({ name, slot, points, latest }, bucketSeconds) {
  const half = bucketSeconds * 500, base = style(name, slot), edge = translucent(base.borderColor, 0.5);
  const hole = Math.max(longestJoin(points), 2.5 * bucketSeconds * 1000);
  const lowest = points.map(([x, y]) => ({ x: x + half, y, least: y }));
  const medians = points.map(([x, min, max, , median]) => ({ x: x + half, y: median ?? (min + max) / 2 }));
  const highest = points.map(([x, min, max, anomalies]) => ({ x: x + half, y: max, least: min, anomalies }));
  return [
    { ...base, role: "median", borderWidth: 2, spanGaps: hole, data: medians },
    { ...base, role: "min", borderColor: edge, borderWidth: 1, spanGaps: hole, data: lowest },
    {
      ...base, latest, role: "max", borderColor: edge, borderWidth: 1, spanGaps: hole, data: highest,
      fill: "-1", backgroundColor: translucent(base.borderColor, 0.35),
    },
  ];
}
