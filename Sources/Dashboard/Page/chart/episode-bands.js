// @ts-check
// Episodes on a chart of one customer: a band each, from its start to its end, with its name in words.

import { colour, translucent } from "./chart-theme.js";
import { stepsOf } from "../lib/steps.js";
import { bandText, isNeeded, labelRows, limitOf } from "../lib/episode.js";

const font = "12px system-ui, sans-serif";
const rowHeight = 16, bar = 8;
/** How much of the bar a severity fills: steps are seen without colours, too.
 * @type {Record<API.Episode["severity"], number>} */
const heights = { low: 2, medium: 4, high: bar };
const narrow = 400; // px

/** Draws `chart.episodes`. Names that would overlap go below each other, as far as there is room. */
export const episodeBands = {
  id: "episodeBands",
  beforeDatasetsDraw(/** @type {any} */ { ctx, chartArea: area, scales: { x, y }, episodes, changes }) {
    ctx.save();
    for (const episode of episodes ?? []) {
      const { left, right, hex } = place(episode, x, area);
      ctx.fillStyle = translucent(hex, 0.13);
      ctx.fillRect(left, area.top, right - left, area.height);
      ctx.fillStyle = hex;
      for (const { from, until, severity } of stepsOf(episode, changes ?? [], x.max)) {
        const start = Math.max(left, x.getPixelForValue(from)), end = Math.min(right, x.getPixelForValue(until));
        const width = from <= Date.parse(episode.opened_at) ? Math.max(2, end - start) : end - start;
        if (width > 0) ctx.fillRect(start, area.top, width, heights[severity]);
      }
      drawLimit(ctx, limitOf(episode.reason), { left, right, hex }, y);
    }
    ctx.restore();
  },
  afterDatasetsDraw(/** @type {any} */ { ctx, chartArea: area, scales: { x }, episodes }) {
    ctx.save();
    ctx.font = font;
    ctx.textBaseline = "top";
    ctx.lineJoin = "round";
    ctx.lineWidth = 4;
    ctx.strokeStyle = colour("surface");
    const labels = (episodes ?? []).map((/** @type {API.Episode} */ episode) => {
      const { left, hex } = place(episode, x, area);
      const text = bandText(episode), width = ctx.measureText(text).width;
      return { text, hex, width, start: Math.max(area.left + 2, Math.min(left + 4, area.right - width - 2)) };
    });
    // On a phone the third row would lie upon the limits' names.
    const rows = labelRows(labels, area.width < narrow ? 2 : 3);
    for (const [index, row] of rows.entries()) {
      if (row === null) continue;
      const { text, hex, start } = labels[index], top = area.top + bar + 3 + row * rowHeight;
      ctx.fillStyle = hex;
      ctx.strokeText(text, start, top);
      ctx.fillText(text, start, top);
    }
    ctx.restore();
  },
};

/**
 * The limit that an episode is judged by, while it lasts.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} limit NaN when its reason names none
 * @param {{left: number, right: number, hex: string}} span
 * @param {any} y
 */
function drawLimit(ctx, limit, { left, right, hex }, y) {
  if (Number.isNaN(limit) || limit < y.min || limit > y.max) return;
  const at = y.getPixelForValue(limit);
  ctx.strokeStyle = hex;
  ctx.setLineDash([6, 3]);
  ctx.beginPath();
  ctx.moveTo(left, at);
  ctx.lineTo(right, at);
  ctx.stroke();
  ctx.setLineDash([]);
  if (right - left < 70) return;
  ctx.font = font;
  ctx.textBaseline = "alphabetic";
  ctx.fillText(`limit ${limit}`, left + 4, at - 4);
}

/**
 * @param {API.Episode} episode
 * @param {any} x
 * @param {any} area
 */
function place(episode, x, area) {
  const end = episode.closed_at === null ? x.max : Date.parse(episode.closed_at);
  const left = Math.max(area.left, x.getPixelForValue(Date.parse(episode.opened_at)));
  // A short one is still visible on a long chart.
  const right = Math.max(left + 2, Math.min(area.right, x.getPixelForValue(end)));
  return { left, right, hex: colour(isNeeded(episode) ? "alarm" : "soft") };
}
