// @ts-check
// A strip below a chart: what the customer was doing, as bars whose height tells the effort, and in words where
// there is room.

import { colour } from "./chart-theme.js";

/** @typedef {import("../lib/activity.js").Span} Span */

const font = "12px system-ui, sans-serif";
const gap = 8, word = 15; // px: above the words, and their height
/** The heights of the bars, in px: what they are is seen without colours, too.
 * @type {Record<API.Activity, number>} */
const heights = { sleep: 3, rest: 6, walk: 11, exercise: 16 };

/** The strip's height in px. */
export const stripHeight = gap + word + heights.exercise;

/** Draws `chart.activities` in the room that the chart's padding leaves. */
export const activityStrip = {
  id: "activityStrip",
  afterDraw(/** @type {any} */ { ctx, height, chartArea: area, scales: { x }, activities }) {
    if (!activities || activities.length === 0) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, height - stripHeight, area.width, stripHeight);
    ctx.clip();
    ctx.font = font;
    ctx.textBaseline = "bottom";
    for (const span of /** @type {Span[]} */ (activities)) drawSpan(ctx, span, x, height);
    ctx.restore();
  },
};

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Span} span
 * @param {any} x
 * @param {number} bottom
 */
function drawSpan(ctx, { activity, from, until }, x, bottom) {
  const start = Math.max(x.left, x.getPixelForValue(from)), end = Math.min(x.right, x.getPixelForValue(until));
  if (end < x.left || start > x.right) return;
  const tall = heights[activity];
  ctx.fillStyle = colour("accent");
  // A line of ground between two bars; a short one is still visible.
  ctx.fillRect(start, bottom - tall, Math.max(1, end - start - 1), tall);
  if (ctx.measureText(activity).width + 4 > end - start) return;
  ctx.fillStyle = colour("soft");
  ctx.fillText(activity, start, bottom - heights.exercise - 1);
}
