// @ts-check
// What happened in a time, for who takes over: on the page, as CSV, and on paper.

import { buttonOf, customerAddress, element, part, press, setText } from "./lib/dom.js";
import { count, duration, fieldText, fieldTime, timeText } from "./lib/format.js";
import { fetchJSON } from "./lib/request.js";
import { showCards } from "./parts/cards.js";
import { startFrame } from "./parts/frame.js";
import { GroupChoice } from "./parts/group-choice.js";

const hour = 3_600_000; // ms

const given = new URLSearchParams(location.search);
const now = Date.now();
let until = Date.parse(given.get("until") ?? "") || now;
let from = Date.parse(given.get("from") ?? "") || until - 8 * hour;
let whose = given.get("customer_id") ?? "", group = given.get("group") ?? "";

const parts = {
  from: part("from", HTMLInputElement), until: part("until", HTMLInputElement), whose: part("whose", HTMLInputElement),
  table: part("report", HTMLTableElement), csv: part("report-csv", HTMLAnchorElement),
};

part("shifts").addEventListener("click", (event) => {
  const button = buttonOf(event);
  if (!button) return;
  press(part("shifts"), button);
  until = Date.now();
  from = until - Number(button.dataset.hours) * hour;
  load();
});
part("report-form").addEventListener("submit", (event) => {
  event.preventDefault();
  press(part("shifts"), null);
  from = fieldTime(parts.from.value);
  until = fieldTime(parts.until.value);
  whose = parts.whose.value.trim();
  load();
});
new GroupChoice(group, (chosen) => {
  group = chosen;
  load();
});
part("print").addEventListener("click", () => print());

async function load() {
  parts.from.value = fieldText(from);
  parts.until.value = fieldText(until);
  parts.whose.value = whose;
  const asked = {
    customer_id: whose, group, from: new Date(from).toISOString(), until: new Date(until).toISOString(),
  };
  const address = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ""));
  history.replaceState(null, "", `?${address}`);
  parts.csv.href = `api/v1/report.csv?${address}`;
  try {
    show(await fetchJSON("/api/v1/report", asked));
    setText(part("report-error"), "");
  } catch (failure) {
    setText(part("report-error"), failure instanceof Error ? failure.message : String(failure));
  }
}

/** @param {API.Report} report */
function show(report) {
  const { items, notes, customers, alarms, alarms_per_customer_hour: load, is_truncated: isCut } = report;
  const kinds = report.alarms_by_kind.map(({ kind, alarms: of, acknowledged }) =>
    `${kind} ${count(of)} (${count(acknowledged)} acknowledged)`);
  setText(part("report-kinds"), kinds.length === 0 ? "" : `Alarms by kind: ${kinds.join(", ")}.`);
  const span = `${timeText(Date.parse(report.from), 0)} to ${timeText(Date.parse(report.until), 0)}`;
  setText(part("report-title"), `${[whose, group].filter(Boolean).join(", ") || "Everybody"}, ${span}`);
  const sum = (/** @type {"unseen" | "episodes"} */ name) => items.reduce((all, item) => all + item[name], 0);
  showCards(part("report-figures"), [
    { name: "Customers", value: count(customers) },
    { name: "With an episode", value: count(items.length) + (isCut ? " and more" : "") },
    { name: "Episodes", value: count(sum("episodes")) },
    { name: "Alarms (high)", value: count(alarms) },
    { name: "Never seen", value: count(sum("unseen")) },
    { name: "Alarms per customer and hour", value: load === null ? "–" : load < 0.01 && load > 0 ? "under 0.01" :
      load.toFixed(2) },
  ]);
  parts.table.tBodies[0].replaceChildren(...items.map(rowOf));
  parts.table.hidden = items.length === 0;
  part("report-empty").hidden = items.length > 0;
  part("notes").replaceChildren(...notes.map(noteOf));
  part("notes-empty").hidden = notes.length > 0;
}

/** @param {API.ReportItem} item */
function rowOf(item) {
  const number = (/** @type {number | null} */ value) => element("td", { class: "right" },
    value === null ? "–" : count(value));
  const time = (/** @type {number | null} */ seconds) => element("td", { class: "right" },
    seconds === null ? "–" : seconds === 0 ? "0" : duration(seconds * 1000));
  const { customer_id: id } = item;
  return element("tr", {},
    element("th", { scope: "row" }, element("a", { class: "id", dir: "auto", href: customerAddress(id) }, id)),
    number(item.episodes), number(item.high), number(item.medium), number(item.low), number(item.unseen),
    time(item.longest_seconds), time(item.median_seconds_to_acknowledge), time(item.seconds_without_signal),
    number(item.lowest), number(item.median), number(item.highest));
}

/** @param {API.ReportNote} note */
function noteOf({ customer_id: id, at, by, action, note, old_value: old, new_value: set }) {
  const change = old === null && set === null ? "" : ` (${old ?? "none"} → ${set ?? "none"})`;
  return element("li", {}, element("time", { datetime: at }, timeText(Date.parse(at), now)), " ",
    element("bdi", {}, id), `: ${by} ${action}${change}${note === null ? "" : `, “${note}”`}`);
}

startFrame(() => {});
load();
