// @ts-check
// A customer's usual rates on a chart: a strip from the lowest to the highest of a day, with its meaning.

import { colour, translucent } from "./chart-theme.js";

const font = "12px system-ui, sans-serif";
const edge = 3; // px: the strip's end, which is seen on every ground

/** Draws `chart.usual`. */
export const usualStrip = {
  id: "usualStrip",
  beforeDatasetsDraw(/** @type {any} */ { ctx, chartArea: area, scales: { y }, usual }) {
    if (!usual) return;
    const { top, height } = place(y, usual);
    ctx.save();
    ctx.fillStyle = translucent(colour("accent"), 0.12);
    ctx.fillRect(area.left, top, area.width, height);
    ctx.fillStyle = colour("limit");
    ctx.fillRect(area.right - edge, top, edge, height);
    ctx.restore();
  },
  // Above the readings: where they are as usual they would hide it.
  afterDatasetsDraw(/** @type {any} */ { ctx, chartArea: area, scales: { y }, usual }) {
    if (!usual) return;
    const { top, height } = place(y, usual);
    ctx.save();
    ctx.font = font;
    ctx.textBaseline = "top";
    ctx.fillStyle = colour("soft");
    ctx.strokeStyle = colour("surface");
    ctx.lineWidth = 4;
    ctx.lineJoin = "round";
    const text = usual.lowest === usual.highest ? `usual ${usual.lowest}` : `usual ${usual.lowest} to ${usual.highest}`;
    ctx.strokeText(text, area.left + 8, top + height + 3);
    ctx.fillText(text, area.left + 8, top + height + 3);
    ctx.restore();
  },
};

/**
 * @param {any} y
 * @param {NonNullable<API.CustomerDetails["usual_rates"]>} usual
 */
function place(y, { lowest, highest }) {
  const top = y.getPixelForValue(highest);
  // A single rate is still visible.
  return { top, height: Math.max(4, y.getPixelForValue(lowest) - top) };
}
