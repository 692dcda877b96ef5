// Episodes on a chart of one customer: a band each, from its beginning to its end, with its name in words.

import { colour, translucent } from "./chart-theme.js";
import { isNeeded } from "../parts/episode-list.js";

const font = "12px system-ui, sans-serif";
const rowHeight = 16, bar = 3;
const narrow = 400; // px

/** Draws `chart.episodes`. Names that would lie upon each other go below each other, as far as there is room. */
export const episodeBands = {
  id: "episodeBands",
  beforeDatasetsDraw({ ctx, chartArea: area, scales: { x }, episodes }) {
    ctx.save();
    for (const episode of episodes ?? []) {
      const { left, right, hex } = place(episode, x, area);
      ctx.fillStyle = translucent(hex, 0.13);
      ctx.fillRect(left, area.top, right - left, area.height);
      ctx.fillStyle = hex;
      ctx.fillRect(left, area.top, right - left, bar);
    }
    ctx.restore();
  },
  afterDatasetsDraw({ ctx, chartArea: area, scales: { x }, episodes }) {
    // On a phone the third row would lie upon the limits' names.
    const ends = [], mostRows = area.width < narrow ? 2 : 3;
    ctx.save();
    ctx.font = font;
    ctx.textBaseline = "top";
    ctx.lineJoin = "round";
    ctx.lineWidth = 4;
    ctx.strokeStyle = colour("surface");
    for (const episode of episodes ?? []) {
      const { left, hex } = place(episode, x, area);
      const text = bandText(episode), width = ctx.measureText(text).width;
      const start = Math.max(area.left + 2, Math.min(left + 4, area.right - width - 2));
      const free = ends.findIndex((end) => start > end);
      const row = free < 0 ? ends.length : free;
      if (row >= mostRows) continue;
      ends[row] = start + width + 8;
      ctx.fillStyle = hex;
      ctx.strokeText(text, start, area.top + bar + 3 + row * rowHeight);
      ctx.fillText(text, start, area.top + bar + 3 + row * rowHeight);
    }
    ctx.restore();
  },
};

/** What a band is called. */
export function bandText({ kind, severity, worst_severity: worst, closed_at: closed }) {
  return `${kind}, ${closed === null ? severity : worst}`;
}

function place(episode, x, area) {
  const end = episode.closed_at === null ? x.max : Date.parse(episode.closed_at);
  const left = Math.max(area.left, x.getPixelForValue(Date.parse(episode.opened_at)));
  // A short one on a long chart is still to be seen.
  const right = Math.max(left + 2, Math.min(area.right, x.getPixelForValue(end)));
  return { left, right, hex: colour(isNeeded(episode) ? "alarm" : "soft") };
}
