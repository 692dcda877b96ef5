// The overview: from "is the picture true" down to every single customer.

import { showAnomalies } from "./parts/anomalies.js";
import { Bars } from "./chart/bars.js";
import { overviewCards, showCards } from "./parts/cards.js";
import { Customers } from "./parts/customers.js";
import { plainTable, press, setText } from "./lib/dom.js";
import { Episodes } from "./parts/episodes.js";
import { isUTC, plural } from "./lib/format.js";
import { startFrame } from "./parts/frame.js";
import { LineChart } from "./chart/line-chart.js";
import { Series } from "./lib/series.js";

const part = (id) => document.getElementById(id);
const series = new Series();
const bars = new Bars();
const customers = new Customers();
const episodes = new Episodes();
const lines = new LineChart(part("chart"), { labels: true });
let latest = null;

startFrame((view) => {
  latest = view;
  if (view.state === null) return;
  episodes.show(view);
  showCards(part("cards"), overviewCards(view.state, view.now));
  showAnomalies(view.state, view.now);
  bars.show(view.state.throughput, view.current ? view.now : Date.parse(view.state.now), isUTC());
  customers.show(view);
  if (view.points === null) return showLines();
  series.take(view.state, view.points).then(showLines);
});

part("chart-minutes").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  press(part("chart-minutes"), button);
  series.reset(Number(button.dataset.minutes));
  if (latest?.state) series.take(latest.state, {}).then(showLines);
});
part("chart-table").parentElement.addEventListener("toggle", showLines);

function showLines() {
  const { state, current, now } = latest;
  // A picture that is not current stands still: it ends where the last state was.
  const until = current ? now : Date.parse(state.now);
  const shown = series.within(until);
  lines.show({
    from: until - series.minutes * 60_000, until, bucketSeconds: series.bucketSeconds, limits: state.limits, series: shown,
    lost: new Set(state.episodes.open.filter(({ kind }) => kind === "signal loss").map(({ customer_id: id }) => id)),
  });
  const some = shown.some(({ points }) => points.length > 0);
  part("chart-empty").hidden = some;
  setText(part("chart-empty"), `No readings in the last ${plural(series.minutes, "minute")}.`);
  setText(part("chart-note"), series.bucketSeconds === 0 ? "Beats per minute, every reading. A triangle marks an anomaly." :
    `Beats per minute, the least to the greatest within each ${series.bucketSeconds} s. A triangle marks an anomaly.`);
  describeLines(shown);
}

function describeLines(shown) {
  const rows = shown.filter(({ points }) => points.length > 0).map(({ name, points }) => {
    const bucketed = series.bucketSeconds > 0, last = points.at(-1);
    const least = Math.min(...points.map((point) => point[1]));
    const greatest = Math.max(...points.map((point) => point[bucketed ? 2 : 1]));
    const anomalies = points.reduce((sum, point) => sum + point[bucketed ? 3 : 2], 0);
    return [name, bucketed ? last[2] : last[1], least, greatest, anomalies];
  });
  const text = rows.map(([name, last, least, greatest]) => `${name} ${last}, from ${least} to ${greatest}`).join("; ");
  part("chart").setAttribute("aria-label", rows.length === 0 ? "Heart rates of the most active customers. No data." :
    `Heart rates in the last ${plural(series.minutes, "minute")}, latest and span in bpm: ${text}.`);
  if (!part("chart-table").parentElement.open) return;
  part("chart-table").replaceChildren(
    plainTable("Heart rates of the most active customers", ["Customer", "Latest", "Least", "Greatest", "Anomalies"], rows));
}
