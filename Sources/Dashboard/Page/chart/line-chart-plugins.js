// @ts-check
// What is drawn besides the lines: the limits (`chart.limits`), marks at anomalies, and names at the lines' ends.

import { colour } from "./chart-theme.js";
import { age as ageText } from "../lib/format.js";

const font = "12px system-ui, sans-serif";
const lineHeight = 16;
const nearEnd = 24; // px: a line that ends farther from the chart's right has ended
const longestCurrent = 15_000; // ms: an older reading at a line's end is not current

/** The two limits as dashed lines with their meaning, a customer's own limits as dotted; the room beyond is tinted. */
export const limitLines = {
  id: "limitLines",
  beforeDatasetsDraw(/** @type {any} */ { ctx, chartArea: area, scales: { y }, limits, ownLimits }) {
    if (!limits) return;
    const max = y.getPixelForValue(limits.heart_rate_max), min = y.getPixelForValue(limits.heart_rate_min);
    ctx.save();
    ctx.fillStyle = colour("alarm-wash");
    ctx.globalAlpha = 0.55;
    ctx.fillRect(area.left, area.top, area.width, max - area.top);
    ctx.fillRect(area.left, min, area.width, area.bottom - min);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = ctx.fillStyle = colour("limit");
    ctx.setLineDash([4, 4]);
    for (const at of [max, min]) {
      ctx.beginPath();
      ctx.moveTo(area.left, at);
      ctx.lineTo(area.right, at);
      ctx.stroke();
    }
    ctx.setLineDash([1, 4]);
    for (const limit of own(ownLimits)) {
      ctx.beginPath();
      ctx.moveTo(area.left, y.getPixelForValue(limit));
      ctx.lineTo(area.right, y.getPixelForValue(limit));
      ctx.stroke();
    }
    ctx.restore();
  },
  afterDatasetsDraw(/** @type {any} */ { ctx, chartArea: area, scales: { y }, limits, ownLimits }) {
    if (!limits) return;
    ctx.save();
    ctx.font = font;
    ctx.fillStyle = colour("soft");
    ctx.strokeStyle = colour("surface");
    ctx.lineWidth = 4;
    ctx.lineJoin = "round";
    const below = { [limits.heart_rate_max]: -6, [limits.heart_rate_min]: 14 };
    for (const limit of [limits.heart_rate_max, limits.heart_rate_min]) {
      outlined(ctx, `limit ${limit}`, area.left + 8, y.getPixelForValue(limit) + below[limit]);
    }
    for (const limit of own(ownLimits)) {
      const shift = limit < limits.heart_rate_min ? 14 : -6;
      outlined(ctx, `own limit ${limit}`, area.left + 88, y.getPixelForValue(limit) + shift);
    }
    ctx.restore();
  },
};

/**
 * A customer's own limits, as far as there are any.
 * @param {API.CustomerDetails["own_limits"]} limits
 */
function own(limits) {
  return [limits?.heart_rate_max ?? null, limits?.heart_rate_min ?? null].flatMap((limit) => limit ?? []);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} x
 * @param {number} y
 */
function outlined(ctx, text, x, y) {
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

/** A triangle at each anomaly: it points up at a rate that is too high, down at one that is too low. */
export const anomalyMarks = {
  id: "anomalyMarks",
  afterDatasetsDraw(/** @type {any} */ { ctx, chartArea: area, data, scales: { x, y }, limits }) {
    if (!limits) return;
    const middle = (limits.heart_rate_min + limits.heart_rate_max) / 2;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top, area.width, area.height);
    ctx.clip();
    ctx.strokeStyle = colour("surface");
    ctx.lineWidth = 1.5;
    const points = data.datasets.flatMap((/** @type {any} */ dataset) => dataset.data);
    const size = sizeOfMarks(points.filter((/** @type {any} */ point) => point.anomalies).length);
    for (const dataset of data.datasets) {
      ctx.fillStyle = dataset.hex;
      for (const point of dataset.data) {
        if (!point.anomalies) continue;
        const at = x.getPixelForValue(point.x);
        // A bucket's anomaly is at one of its ends, or at both.
        const rates = point.least === undefined ? [point.y] : beyond(point, limits);
        for (const rate of rates) triangle(ctx, at, y.getPixelForValue(rate), rate > middle, size);
      }
    }
    ctx.restore();
  },
};

/**
 * The ends of a bucket that are beyond the limits.
 * @param {{least: number, y: number}} point
 * @param {API.Limits} limits
 */
function beyond(point, limits) {
  const ends = [];
  if (point.least < limits.heart_rate_min) ends.push(point.least);
  if (point.y > limits.heart_rate_max) ends.push(point.y);
  return ends;
}

/** The more marks, the smaller each: they must not hide the lines.
 * @param {number} count */
function sizeOfMarks(count) {
  if (count > 120) return 2.5;
  return count > 40 ? 3.5 : 5.5;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {boolean} up
 * @param {number} size
 */
function triangle(ctx, x, y, up, size) {
  const tip = up ? -size : size;
  ctx.beginPath();
  ctx.moveTo(x, y + tip);
  ctx.lineTo(x + size, y - tip / 1.5);
  ctx.lineTo(x - size, y - tip / 1.5);
  ctx.closePath();
  if (size > 3) ctx.stroke();
  ctx.fill();
}

/** Names and latest rates to the right of the lines' ends, moved apart where they would overlap. */
export const endLabels = {
  id: "endLabels",
  beforeLayout(/** @type {any} */ chart, /** @type {unknown} */ _, /** @type {{on: boolean}} */ { on }) {
    if (!on) return;
    chart.ctx.save();
    chart.ctx.font = font;
    const most = Math.min(170, Math.max(104, chart.width * 0.25));
    const widths = labelled(chart).map((dataset) => chart.ctx.measureText(dataset.label).width + 60);
    chart.ctx.restore();
    chart.options.layout.padding.right = Math.min(most, Math.max(80, ...widths));
  },
  afterDatasetsDraw(/** @type {any} */ chart, /** @type {unknown} */ _, /** @type {{on: boolean}} */ { on }) {
    if (!on) return;
    const { ctx, chartArea: area, scales: { x, y } } = chart;
    const labels = labelled(chart).map((dataset) => {
      const point = dataset.latest, at = y.getPixelForValue(point.y);
      return { dataset, point, from: { x: Math.min(x.getPixelForValue(point.x), area.right), y: at }, y: at };
    });
    spread(labels, area);
    ctx.save();
    ctx.font = font;
    ctx.textBaseline = "middle";
    const start = area.right + 14;
    for (const { dataset, point, from, y: at } of labels) {
      // A line to the label stays beside the chart: on it, it would look like readings.
      if (area.right - from.x < nearEnd) {
        ctx.strokeStyle = dataset.hex;
        ctx.beginPath();
        ctx.moveTo(area.right + 2, from.y);
        ctx.lineTo(start - 4, at);
        ctx.stroke();
      }
      ctx.fillStyle = dataset.hex;
      ctx.fillRect(start - 4, at - 5, 3, 10);
      // A line that has ended shows how long ago, not a number that would look like the current one.
      const age = x.max - point.x, ended = age > longestCurrent || chart.lost.has(dataset.label);
      const rate = ended ? ageText(age) : String(point.y);
      const room = chart.width - start - 14 - ctx.measureText(ended ? rate : "000").width;
      ctx.fillStyle = colour(ended ? "soft" : "ink");
      ctx.textAlign = "right";
      ctx.fillText(rate, chart.width - 4, at);
      ctx.fillStyle = colour("soft");
      ctx.textAlign = "left";
      ctx.fillText(shortened(ctx, dataset.label, room), start + 4, at);
    }
    ctx.restore();
  },
};

/**
 * @param {any} chart
 * @returns {any[]}
 */
function labelled({ data }) {
  return data.datasets.filter((/** @type {any} */ dataset) => dataset.latest && dataset.data.length > 0);
}

/**
 * Moves labels apart until each has a line of its own, and keeps them beside the chart.
 * @param {{y: number}[]} labels
 * @param {{top: number, bottom: number}} area
 */
function spread(labels, area) {
  labels.sort((a, b) => a.y - b.y);
  let least = area.top + lineHeight / 2;
  for (const label of labels) {
    label.y = Math.max(label.y, least);
    least = label.y + lineHeight;
  }
  let most = area.bottom - lineHeight / 2;
  for (const label of labels.reverse()) {
    label.y = Math.min(label.y, most);
    most = label.y - lineHeight;
  }
}

/**
 * A text that fits. Ids often start alike, so that more is kept of their end.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} text
 * @param {number} room
 */
function shortened(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  const letters = Array.from(text);
  for (let kept = letters.length - 1; kept > 1; kept -= 1) {
    const head = Math.floor(kept / 3);
    const short = `${letters.slice(0, head).join("")}…${letters.slice(head - kept).join("")}`;
    if (ctx.measureText(short).width <= room) return short;
  }
  return "…";
}
