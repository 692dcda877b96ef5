// @ts-check
// For those who look after the system: daemons, database, lag, counts, and what arrives.

import { showAnomalies } from "./parts/anomalies.js";
import { Bars } from "./chart/bars.js";
import { overviewCards, showCards } from "./parts/cards.js";
import { buttonOf, part, plainTable, press, setText } from "./lib/dom.js";
import { count, isUTC, plural, timeText } from "./lib/format.js";
import { startFrame } from "./parts/frame.js";
import { LineChart } from "./chart/line-chart.js";
import { Series, summary } from "./lib/series.js";

const series = new Series();
const bars = new Bars();
const lines = new LineChart(part("chart", HTMLCanvasElement), { labels: true });
const chartDetails = part("chart-details", HTMLDetailsElement);
/** @type {import("./lib/live.js").StateView | null} */
let latest = null;

startFrame(({ state, ...rest }) => {
  if (state === null) return;
  const view = latest = { state, ...rest };
  showDatabaseError(state.database);
  showCards(part("cards"), overviewCards(state, view.now));
  showAnomalies(state, view.now);
  showReceivers(state.receivers);
  bars.show(state.throughput, view.current ? view.now : Date.parse(state.now), isUTC());
  if (view.points === null) return showLines();
  series.take(state, view.points).then(showLines);
});

part("chart-minutes").addEventListener("click", (event) => {
  const button = buttonOf(event);
  if (!button) return;
  press(part("chart-minutes"), button);
  series.reset(Number(button.dataset.minutes));
  if (latest !== null) series.take(latest.state, []).then(showLines);
});
chartDetails.addEventListener("toggle", showLines);

function showLines() {
  if (latest === null) return;
  const { state, current, now } = latest;
  // A chart that is not current stands still: it ends where the last state was.
  const until = current ? now : Date.parse(state.now);
  const shown = series.within(until);
  lines.show({
    from: until - series.minutes * 60_000, until, bucketSeconds: series.bucketSeconds, limits: state.limits,
    series: shown,
  });
  part("chart-empty").hidden = shown.some(({ points }) => points.length > 0);
  setText(part("chart-empty"), `No readings in the last ${plural(series.minutes, "minute")}.`);
  const { bucketSeconds } = series;
  const what = bucketSeconds === 0 ? "every reading" : `lowest to highest rate in each ${bucketSeconds} s`;
  setText(part("chart-note"), `Beats per minute, ${what}. A triangle marks an anomaly.`);
  describeLines(shown);
}

/** @param {import("./lib/series.js").Line[]} shown */
function describeLines(shown) {
  const rows = shown.flatMap((line) => summary(line, series.bucketSeconds) ?? []);
  const texts = rows.map(({ name, last, lowest, highest }) => `${name} ${last}, from ${lowest} to ${highest}`);
  part("chart").setAttribute("aria-label", rows.length === 0 ? "Heart rates of the most active customers. No data." :
    `Heart rates in the last ${plural(series.minutes, "minute")}, latest and span in bpm: ${texts.join("; ")}.`);
  if (!chartDetails.open) return;
  part("chart-table").replaceChildren(plainTable("Heart rates of the most active customers",
    ["Customer", "Latest", "Lowest", "Highest", "Anomalies"], rows.map((row) => Object.values(row))));
}

/** Whom the notifier tells, and what is given up.
 * @param {API.State["receivers"]} receivers */
function showReceivers(receivers) {
  part("receivers-panel").hidden = receivers.length === 0;
  const text = JSON.stringify(receivers);
  if (part("receivers").dataset.shown === text) return;
  part("receivers").dataset.shown = text;
  part("receivers").replaceChildren(plainTable("What became of messages in the last 24 hours",
    ["Receiver", "Sent", "Waiting", "Given up", "Why not sent"], receivers.map((receiver) => [
      receiver.name, `${count(receiver.sent_last_day)}${timeOf(", last at", receiver.sent_at)}`,
      `${count(receiver.waiting)}${timeOf(", since", receiver.waiting_since)}`, count(receiver.dead_last_day),
      receiver.error ?? ""])));
}

/**
 * @param {string} words
 * @param {string | null} moment
 */
function timeOf(words, moment) {
  return moment === null ? "" : `${words} ${timeText(Date.parse(moment), Date.now())}`;
}

/** The database's own words, for who knows them.
 * @param {API.State["database"]} database */
function showDatabaseError({ state, error }) {
  const text = state === "ready" || error === null ? "" : `What the database's client says: ${error}`;
  part("database-error").hidden = text === "";
  setText(part("database-error"), text);
}
