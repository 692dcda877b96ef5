// @ts-check
// What all charts share: the page's colours on a canvas, and an axis of time in the zone that is shown.

import { dayText, minuteText, secondText, zoneOffset } from "../lib/format.js";

/** Chart.js, which Debian ships as a classic script. */
export const Chart = /** @type {any} */ (globalThis).Chart;

const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
const steps = [
  5 * second, 10 * second, 15 * second, 30 * second, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute,
  30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day,
];

/**
 * The value of a custom property of the style sheet.
 * @param {string} name
 */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/**
 * The same colour, but translucent.
 * @param {string} hex
 * @param {number} alpha from 0 to 1
 */
export function translucent(hex, alpha) {
  return hex + Math.round(alpha * 255).toString(16).padStart(2, "0");
}

/**
 * Calls `draw` when the viewer's system changes between light and dark.
 * @param {() => void} draw
 */
export function onThemeChange(draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

/**
 * What every chart starts from: nothing moves by itself, the page's own type, quiet lines.
 * @returns {any}
 */
export function baseOptions() {
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    normalized: true,
    parsing: false,
    font: { family: "system-ui, sans-serif", size: 12 },
    plugins: { legend: { display: false } },
  };
}

/**
 * Gives a chart's axes, tooltip and type the colours of the theme that is shown now.
 * @param {any} chart
 */
export function applyTheme(chart) {
  const soft = colour("soft"), line = colour("line");
  for (const scale of Object.values(/** @type {Record<string, any>} */ (chart.options.scales))) {
    scale.ticks.color = soft;
    scale.ticks.font = { family: "system-ui, sans-serif", size: 12 };
    scale.grid.color = scale.grid.borderColor = line;
  }
  Object.assign(chart.options.plugins.tooltip, {
    backgroundColor: colour("surface"), titleColor: colour("ink"), bodyColor: colour("ink"), footerColor: soft,
    borderColor: colour("edge"), borderWidth: 1, padding: 10, cornerRadius: 8, boxPadding: 4,
    titleFont: { family: "system-ui, sans-serif", weight: "600" }, bodyFont: { family: "system-ui, sans-serif" },
  });
}

/**
 * Replaces a time axis's ticks by round times of the shown zone, as many as fit.
 * @param {any} scale
 */
export function timeTicks(scale) {
  const most = Math.max(2, Math.floor(scale.width / 90));
  const span = scale.max - scale.min;
  const step = steps.find((step) => span / step <= most) ?? Math.ceil(span / most / (30 * day)) * 30 * day;
  const offset = zoneOffset(scale.max);
  const first = Math.ceil((scale.min + offset) / step) * step - offset;
  scale.ticks = [];
  for (let value = first; value <= scale.max; value += step) scale.ticks.push({ value, label: tickText(value, step) });
}

/**
 * The label that timeTicks gave a tick.
 * @param {unknown} _
 * @param {number} index
 * @param {{label: string}[]} ticks
 */
export const tickLabel = (_, index, ticks) => ticks[index].label;

/**
 * @param {number} ms
 * @param {number} step
 */
function tickText(ms, step) {
  if (step < minute) return secondText(ms);
  const atMidnight = (ms + zoneOffset(ms)) % day === 0;
  return step >= day || atMidnight ? dayText(ms) : minuteText(ms);
}

