// @ts-check
// Messages per minute as stacked bars: valid, anomaly, invalid. The latter two also carry a pattern.

import { Chart, applyTheme, baseOptions, colour, onThemeChange } from "./chart-theme.js";
import { count, minuteText } from "../lib/format.js";
import { part, plainTable, setText } from "../lib/dom.js";

/** @typedef {"valid" | "anomaly" | "invalid"} Kind */

/** @type {Kind[]} */
const kinds = ["valid", "anomaly", "invalid"];
const minutesShown = 30;

export class Bars {
  /** @type {any} */
  #chart = null;
  #parts = {
    canvas: part("throughput", HTMLCanvasElement), empty: part("throughput-empty"), table: part("throughput-table"),
    details: part("throughput-details", HTMLDetailsElement),
  };
  /** @type {(Record<Kind, number> & {at: number})[]} */
  #minutes = [];
  #key = "";

  constructor() {
    this.#parts.details.addEventListener("toggle", () => this.#fillTable());
    onThemeChange(() => this.#draw());
  }

  /**
   * Shows the latest minutes up to `now` (ms); minutes without a row had no message.
   * @param {API.Minute[]} throughput
   * @param {number} now
   * @param {boolean} zone
   */
  show(throughput, now, zone) {
    const key = JSON.stringify([throughput, Math.floor(now / 60_000), zone]);
    if (key === this.#key) return;
    this.#key = key;
    const rows = new Map(throughput.map((row) => [Date.parse(row.minute), row]));
    const last = Math.max(Math.floor(now / 60_000) * 60_000, ...rows.keys());
    this.#minutes = Array.from({ length: minutesShown }, (_, index) => {
      const at = last - (minutesShown - 1 - index) * 60_000;
      return { at, valid: 0, anomaly: 0, invalid: 0, ...rows.get(at) };
    });
    this.#parts.empty.hidden = rows.size > 0;
    setText(this.#parts.empty, "No messages in the last 30 minutes.");
    this.#draw();
    this.#fillTable();
  }

  /** @param {Kind} kind */
  #sum(kind) {
    return this.#minutes.reduce((sum, minute) => sum + minute[kind], 0);
  }

  #draw() {
    if (this.#minutes.length === 0) return;
    this.#chart ??= makeChart(this.#parts.canvas);
    applyTheme(this.#chart);
    const paints = { valid: colour("valid"), anomaly: dots(colour("anomaly")), invalid: stripes(colour("invalid")) };
    this.#chart.data = {
      labels: this.#minutes.map(({ at }) => minuteText(at)),
      datasets: kinds.map((kind) => ({
        label: kind, stack: "all", backgroundColor: paints[kind], borderColor: colour(kind),
        borderWidth: kind === "valid" ? 0 : 1, borderRadius: 2, borderSkipped: false, minBarLength: 3,
        categoryPercentage: 0.9, barPercentage: 0.8, maxBarThickness: 22,
        data: this.#minutes.map((minute, x) => ({ x, y: minute[kind] > 0 ? minute[kind] : NaN })),
      })),
    };
    this.#chart.update("none");
    for (const kind of kinds) setText(part(`sum-${kind}`), count(this.#sum(kind)));
    const sums = kinds.map((kind) => `${count(this.#sum(kind))} ${kind}`).join(", ");
    this.#parts.canvas.setAttribute("aria-label",
      `Messages per minute in the last ${minutesShown} minutes: ${sums}.`);
  }

  #fillTable() {
    const { table, details } = this.#parts;
    if (!details.open) return;
    const rows = this.#minutes.map((minute) => [minuteText(minute.at), ...kinds.map((kind) => count(minute[kind]))]);
    table.replaceChildren(plainTable("Messages per minute", ["Minute", "Valid", "Anomaly", "Invalid"], rows.reverse()));
  }
}

/** @param {HTMLCanvasElement} canvas */
function makeChart(canvas) {
  const options = baseOptions();
  options.interaction = { mode: "index", intersect: false };
  options.scales = {
    x: { stacked: true, grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 24 } },
    y: {
      stacked: true, beginAtZero: true, grid: { drawBorder: false, drawTicks: false },
      ticks: { padding: 8, maxTicksLimit: 5, precision: 0, callback: count },
    },
  };
  options.plugins.tooltip = {
    callbacks: { label: (/** @type {any} */ item) => ` ${item.dataset.label}: ${count(item.parsed.y)}` },
  };
  return new Chart(canvas, { type: "bar", data: { labels: [], datasets: [] }, options });
}

/**
 * @param {number} size
 * @param {string} hex
 * @param {(ctx: CanvasRenderingContext2D) => void} draw
 */
function tile(size, hex, draw) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.fillStyle = hex;
  ctx.fillRect(0, 0, size, size);
  ctx.fillStyle = ctx.strokeStyle = colour("surface");
  draw(ctx);
  return ctx.createPattern(canvas, "repeat");
}

/** @param {string} hex */
function dots(hex) {
  return tile(5, hex, (ctx) => {
    ctx.arc(2.5, 2.5, 1, 0, 2 * Math.PI);
    ctx.fill();
  });
}

/** @param {string} hex */
function stripes(hex) {
  return tile(6, hex, (ctx) => {
    ctx.lineWidth = 1.5;
    for (const shift of [-6, 0, 6]) {
      ctx.moveTo(shift, 6);
      ctx.lineTo(shift + 6, 0);
    }
    ctx.stroke();
  });
}
