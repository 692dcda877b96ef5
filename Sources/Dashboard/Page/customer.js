// One customer: the latest reading, the history of a chosen time, its anomalies, and the same as CSV.

import { showName } from "./parts/acknowledge.js";
import { showCards } from "./parts/cards.js";
import { statusMark } from "./parts/customers.js";
import { element, press, setText } from "./lib/dom.js";
import { bandText } from "./chart/episode-bands.js";
import { EpisodeList } from "./parts/episode-list.js";
import { count, duration, fieldText, fieldTime, timeText } from "./lib/format.js";
import { fetchJSON, startFrame } from "./parts/frame.js";
import { LineChart } from "./chart/line-chart.js";

const part = (id) => document.getElementById(id);
const id = new URLSearchParams(location.search).get("customer_id") ?? "";
const lines = new LineChart(part("chart"), { labels: false });
const episodeList = new EpisodeList(part("episodes"), (text) => setText(part("episodes-error"), text));
const refresh = 2000; // ms between two requests while the shown time ends now
let range = { minutes: 15, from: null, until: null };
let latest = null, customer = null, history = null, anomalies = { items: [], next: null }, episodes = [];
let asked = 0, turn = 0, loading = false, failed = false, edited = false;

setText(part("customer-id"), id);
document.title = `${id} · heartbeat`;

startFrame((view) => {
  latest = view;
  if (view.state === null) return;
  const due = Date.now() - asked > (range.minutes === null || range.minutes > 60 ? 5 * refresh : refresh);
  if ((view.current || history === null) && due && !loading) load();
  showNow();
  showHistory();
});
showName(part("who-change"));

part("presets").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button) choose({ minutes: Number(button.dataset.minutes), from: null, until: null }, button);
});
part("range-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const from = fieldTime(part("from").value), until = fieldTime(part("until").value);
  const wrong = !(until > from) ? "The end has to be after the beginning." :
    until - from > 31 * 86_400_000 ? "At most 31 days can be shown at once." : "";
  setText(part("range-error"), wrong);
  if (wrong === "") choose({ minutes: null, from, until }, null);
});
part("range-form").addEventListener("input", () => { edited = true; });
part("more").addEventListener("click", showEarlier);

function choose(wanted, button) {
  range = wanted;
  edited = false;
  anomalies = { items: [], next: null };
  press(part("presets"), button);
  setText(part("range-error"), "");
  load();
}

async function load() {
  asked = Date.now();
  loading = true;
  const mine = ++turn;
  const until = range.until ?? latest?.now ?? Date.now();
  const times = {
    from: new Date(range.from ?? until - range.minutes * 60_000).toISOString(), until: new Date(until).toISOString(),
  };
  try {
    const [one, readings, found] = await Promise.all([
      fetchJSON("/api/v1/customer", { customer_id: id }),
      fetchJSON("/api/v1/readings", { customer_id: id, ...times, buckets: 400 }),
      fetchJSON("/api/v1/episodes", { customer_id: id, ...times, limit: 200 }),
    ]);
    const latestAnomalies = await askAnomalies(readings, null);
    if (mine !== turn) return;
    [customer, history, episodes] = [one, readings, found.items];
    takeAnomalies(latestAnomalies);
    if (failed) setText(part("range-error"), "");
    failed = false;
    showNow();
    showHistory();
  } catch (failure) {
    if (mine !== turn) return;
    if (failure.status === 404) return setText(part("now"), "There is no customer of this name.");
    failed = true;
    setText(part("range-error"), failure.message);
  } finally {
    if (mine === turn) loading = false;
  }
}

function askAnomalies({ from, until }, before) {
  return fetchJSON("/api/v1/anomalies", { customer_id: id, from, until, before, limit: 50 });
}

/** Takes the latest anomalies. What was shown of earlier ones stays. */
function takeAnomalies({ items, next_before: next }) {
  const last = items.at(-1)?.recorded_at ?? history.until;
  const kept = anomalies.items.filter(({ recorded_at: at }) => at < last && at >= history.from);
  anomalies = { items: [...items, ...kept], next: kept.length === 0 ? next : anomalies.next };
  showAnomalies();
}

async function showEarlier() {
  const mine = range;
  try {
    const { items, next_before: next } = await askAnomalies(history, anomalies.next);
    if (mine !== range) return;
    const known = new Set(anomalies.items.map(({ recorded_at: at }) => at));
    anomalies = { items: [...anomalies.items, ...items.filter(({ recorded_at: at }) => !known.has(at))], next };
    showAnomalies();
  } catch (failure) {
    failed = true;
    setText(part("range-error"), failure.message);
  }
}

function showNow() {
  if (customer === null) return;
  const at = Date.parse(customer.recorded_at);
  const [value, status, age, since] = nowParts();
  // Of who sends nothing any more this is no current rate.
  const silent = customer.status === "silent";
  value.className = silent ? "now-value old" : "now-value";
  setText(value, `${silent ? "last " : ""}${customer.heart_rate} bpm`, { fade: true });
  if (status.firstElementChild?.className !== `status status-${customer.status}`) {
    status.replaceChildren(statusMark(customer.status));
  }
  setText(age, `${duration(latest.now - at)} ago, ${timeText(at, latest.now)}`);
  setText(since, `${count(customer.readings)} readings, ${count(customer.anomalies)} anomalies since ${timeText(Date.parse(customer.first_recorded_at ?? customer.created_at), latest.now)}`);
}

function showLimits() {
  const { own_limits: own } = customer, { heart_rate_min: least, heart_rate_max: greatest } = history.limits;
  part("limits").hidden = own === null;
  if (own === null) return;
  setText(part("limits"), `Own limits for episodes: ${own.heart_rate_min ?? least} to ${own.heart_rate_max ?? greatest} bpm, instead of ${least} to ${greatest}.`);
}

function nowParts() {
  if (part("now").children.length === 0) {
    part("now").replaceChildren(element("span", { class: "now-value" }), element("span"), element("span", { class: "age" }), element("span"));
  }
  return part("now").children;
}

function showHistory() {
  if (history === null) return;
  const from = Date.parse(history.from), until = Date.parse(history.until), bucketSeconds = history.bucket_seconds;
  showLimits();
  episodeList.show(episodes, latest.now);
  part("episodes-empty").hidden = episodes.length > 0;
  lines.show({ from, until, bucketSeconds, limits: history.limits, ownLimits: customer.own_limits, episodes, series: [{ name: id, slot: 0, points: history.points, latest: null }] });
  const span = `${timeText(from, latest.now)} to ${timeText(until, latest.now)}`;
  setText(part("chart-note"), bucketSeconds === 0 ? `Every reading from ${span}. A triangle marks an anomaly.` :
    `The least to the greatest within each ${duration(bucketSeconds * 1000)}, from ${span}. A triangle marks an anomaly.`);
  part("chart-empty").hidden = history.points.length > 0;
  setText(part("chart-empty"), "No readings in this range.");
  const words = history.count === 0 ? "no readings" : `${history.count} readings from ${history.min} to ${history.max} bpm, ${history.anomalies} anomalies`;
  const bands = episodes.length === 0 ? "no episodes" : `episodes: ${episodes.slice(0, 5).map(bandText).join("; ")}${episodes.length > 5 ? "; and more" : ""}`;
  part("chart").setAttribute("aria-label", `Heart rate of ${id} from ${span}: ${words}; ${bands}.`);
  showCards(part("figures"), [
    { name: "Readings", value: count(history.count) }, { name: "Least", value: String(history.min ?? "–"), unit: "bpm" },
    { name: "Greatest", value: String(history.max ?? "–"), unit: "bpm" }, { name: "Anomalies", value: count(history.anomalies) },
  ]);
  part("csv").href = `/api/v1/readings.csv?${new URLSearchParams({ customer_id: id, from: history.from, until: history.until })}`;
  fillFields(from, until);
}

/** The fields follow the shown time, but never while somebody edits them. */
function fillFields(from, until) {
  if (edited || range.minutes === null || part("range-form").contains(document.activeElement)) return;
  part("from").value = fieldText(from);
  part("until").value = fieldText(until);
}

function showAnomalies() {
  const rows = anomalies.items.map(({ recorded_at: at, heart_rate: bpm, anomaly_reason: reason }) => element("tr", {},
    element("td", {}, element("time", { datetime: at }, timeText(Date.parse(at), latest.now))),
    element("td", { class: "right" }, String(bpm)), element("td", { class: "wrap" }, reason ?? "")));
  part("anomalies").tBodies[0].replaceChildren(...rows);
  part("anomalies").hidden = rows.length === 0;
  part("anomalies-empty").hidden = rows.length > 0;
  part("more").hidden = anomalies.next === null;
}
