// @ts-check
// The key figures.

import { childCount, element, setText } from "../lib/dom.js";
import { count, duration, isolated, percent, plural, rate } from "../lib/format.js";

/** A key figure; an old one is greyed.
 * @typedef {{name: string, value: string, unit?: string, detail?: string, old?: boolean}} Card */

/**
 * Draws figures into a list of cards.
 * @param {Element} list
 * @param {Card[]} cards
 */
export function showCards(list, cards) {
  const nodes = childCount(list, cards.length, () => element("div", { class: "card" }, element("dt"),
    element("dd", { class: "card-value" }, element("span"), element("span", { class: "card-unit" })),
    element("dd", { class: "card-detail" })));
  cards.forEach(({ name, value, unit = "", detail = "", old = false }, index) => {
    const [title, figure, more] = nodes[index].children;
    nodes[index].className = old ? "card old" : "card";
    setText(title, name);
    setText(figure.firstElementChild, value);
    setText(figure.lastElementChild, unit);
    setText(more, detail);
  });
}

/**
 * The overview's figures of a state.
 * @param {API.State} state
 * @param {number} now
 * @returns {Card[]}
 */
export function overviewCards(state, now) {
  return [
    openEpisodes(state), readings(state), customers(state), anomalies(state), lastReading(state, now), lag(state),
    rejected(state),
  ];
}

/** @param {API.State} state */
function openEpisodes({ open_episodes: open, episodes: { alarms_per_customer_day: load } }) {
  const alarms = load !== null && load > 0 && load < 0.01 ? "under 0.01" : load?.toFixed(2);
  return {
    name: "Open episodes", value: open === null ? "–" : count(open),
    detail: load === null ? "" : `${alarms} alarms per customer per day`,
  };
}

/** @param {API.State} state */
function readings({ totals, rate: { readings_per_second: speed } }) {
  return { name: "Readings", value: count(totals.readings), detail: speed === null ? "" : `${rate(speed)} per second` };
}

/** @param {API.State} state */
function customers({ totals, status_counts: counts }) {
  const lost = counts["no signal"];
  const silent = lost === 0 ? "all sending" : `${count(lost)} without signal`;
  return { name: "Customers", value: count(totals.customers), detail: totals.customers === 0 ? "" : silent };
}

/** @param {API.State} state */
function anomalies({ totals, anomaly_rate: { total, last_5_minutes: recent } }) {
  if (total === null) return { name: "Anomaly rate", value: "–" };
  const lately = recent === null ?
    plural(totals.anomalies, "anomaly", "anomalies") : `${percent(recent)} % in the last 5 min`;
  return { name: "Anomaly rate", value: percent(total), unit: "%", detail: lately };
}

/**
 * @param {API.State} state
 * @param {number} now
 */
function lastReading({ last_reading: last, data }, now) {
  if (last === null) return { name: "Last reading", value: "–", detail: "none yet" };
  const age = duration(now - Date.parse(last.recorded_at));
  return {
    name: "Last reading", value: count(last.heart_rate), unit: "bpm",
    detail: `${age} ago, ${isolated(last.customer_id)}`, old: data.state === "stale",
  };
}

/** @param {API.State} state */
function lag({ lag }) {
  if (lag === null) return { name: "Lag", value: "–", detail: "unknown" };
  return {
    name: "Lag", value: count(lag.messages), unit: lag.messages === 1 ? "message" : "messages",
    detail: lag.seconds === null ? "" : `${rate(lag.seconds)} s behind`,
  };
}

/** @param {API.State} state */
function rejected({ totals }) {
  const seen = totals.readings + totals.rejected;
  return {
    name: "Rejected", value: count(totals.rejected), unit: totals.rejected === 1 ? "message" : "messages",
    detail: seen === 0 ? "" : `${percent(totals.rejected / seen)} % of all`,
  };
}
