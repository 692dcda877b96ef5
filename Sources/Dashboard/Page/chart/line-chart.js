// Heart rates over time: raw readings as lines, bucketed ones as the span from the least to the greatest of each bucket.

import { Chart, applyTheme, baseOptions, colour, onThemeChange, tickLabel, timeTicks, translucent } from "./chart-theme.js";
import { anomalyMarks, endLabels, limitLines } from "./line-chart-plugins.js";
import { episodeBands } from "./episode-bands.js";
import { dayText, secondText } from "../lib/format.js";
import { longestJoin } from "./holes.js";

/** One chart on a canvas. `show` draws; everything it needs comes with each call. */
export class LineChart {
  #chart;
  #shown = null;

  /** With `labels` each line carries its customer's name at its end. */
  constructor(canvas, { labels }) {
    const options = baseOptions();
    options.layout = { padding: { top: 6, right: 6 } };
    options.interaction = { mode: "nearest", axis: "x", intersect: false };
    options.scales = {
      x: { type: "linear", grid: { display: false }, ticks: { maxRotation: 0, callback: tickLabel }, afterBuildTicks: timeTicks },
      y: { type: "linear", grid: { drawBorder: false, drawTicks: false }, ticks: { padding: 8, stepSize: 40, includeBounds: false } },
    };
    options.plugins.tooltip = {
      callbacks: {
        title: (items) => (items.length ? timeTitle(items[0].parsed.x, this.#shown) : ""),
        label: (item) => this.#labelOf(item),
      },
      filter: (item) => item.dataset.role !== "min",
      usePointStyle: false,
    };
    options.plugins.endLabels = { on: labels };
    this.#chart = new Chart(canvas, {
      type: "line", data: { datasets: [] }, options, plugins: [episodeBands, limitLines, anomalyMarks, endLabels],
    });
    onThemeChange(() => this.#draw());
  }

  /**
   * @param shown {from, until, bucketSeconds, limits, ownLimits, lost, episodes, series: [{name, slot, points, latest}]}: slot is its
   * colour's number from 0 to 5, latest {x, y} stands at its end; points are [ms, bpm, anomaly] or, when
   * bucketSeconds is not 0, [ms, min, max, anomalies]. Those in the set `lost` send nothing any more.
   */
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
    this.#chart.episodes = [...shown.episodes ?? []].sort((a, b) => Date.parse(a.opened_at) - Date.parse(b.opened_at));
    this.#chart.update("none");
  }

  #labelOf(item) {
    const point = item.raw;
    const anomaly = point.anomalies ? (this.#shown.bucketSeconds > 0 ? `, ${point.anomalies} anomalies` : ", anomaly") : "";
    const rates = point.least === undefined || point.least === point.y ? `${point.y}` : `${point.least} to ${point.y}`;
    return ` ${item.dataset.label}: ${rates} bpm${anomaly}`;
  }
}

function timeTitle(ms, shown) {
  const long = shown.until - shown.from > 86_400_000;
  return long ? `${dayText(ms)}, ${secondText(ms)}` : secondText(ms);
}

/** The least and greatest rate on the axis: the limits and all readings, and some room. */
function heights({ limits, ownLimits, series, bucketSeconds }) {
  let least = Math.min(limits.heart_rate_min, ownLimits?.heart_rate_min ?? Infinity);
  let greatest = Math.max(limits.heart_rate_max, ownLimits?.heart_rate_max ?? 0);
  for (const { points } of series) {
    for (const point of points) {
      least = Math.min(least, point[1]);
      greatest = Math.max(greatest, bucketSeconds > 0 ? point[2] : point[1]);
    }
  }
  return [Math.max(0, Math.floor((least - 5) / 20) * 20), Math.ceil((greatest + 5) / 20) * 20];
}

function style(name, slot) {
  const hex = colour(`line-${(slot % 6) + 1}`);
  return {
    label: name, hex, borderColor: hex, backgroundColor: hex, borderWidth: 1.75, pointRadius: 0, pointHitRadius: 0,
    borderJoinStyle: "round",
  };
}

function line({ name, slot, points, latest }) {
  return {
    ...style(name, slot), latest, role: "line", spanGaps: longestJoin(points),
    data: points.map(([x, y, anomalies]) => ({ x, y, anomalies })),
  };
}

/** Two edges with the room between them filled. The edges meet where a bucket has one reading. */
function envelope({ name, slot, points, latest }, bucketSeconds) {
  const half = bucketSeconds * 500, base = style(name, slot), edge = translucent(base.borderColor, 0.5);
  const hole = Math.max(longestJoin(points), 2.5 * bucketSeconds * 1000);
  const least = points.map(([x, y]) => ({ x: x + half, y, least: y }));
  const greatest = points.map(([x, min, max, anomalies]) => ({ x: x + half, y: max, least: min, anomalies }));
  return [
    { ...base, role: "min", borderColor: edge, borderWidth: 1, spanGaps: hole, data: least },
    {
      ...base, latest, role: "max", borderColor: edge, borderWidth: 1, spanGaps: hole, data: greatest,
      fill: "-1", backgroundColor: translucent(base.borderColor, 0.35),
    },
  ];
}
