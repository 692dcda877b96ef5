// @ts-check
// The health strip: can the page be trusted? One item each for the stream, the daemons, the database, lag and gaps.

import { childCount, element, mark, part, setText } from "../lib/dom.js";
import { count, duration, plural, rate, timeText } from "../lib/format.js";

const strip = part("health");
/** What a nurse does not need is on the page for operations. */
const isInFull = strip.closest("[data-full-health]") !== null;

/** An item; one from a state is greyed when the page is not current.
 * @typedef {{name: string, value: string, shape: import("../lib/dom.js").Shape, isFromState?: boolean}} Item
 * @typedef {import("../lib/live.js").View} View */

/**
 * Draws the strip.
 * @param {View} view
 */
export function showHealth(view) {
  const items = healthItems(view);
  const nodes = childCount(strip, items.length, () => element("li", { class: "health-item" }, mark("quiet"),
    element("span", { class: "health-name" }), element("span", { class: "health-value" })));
  // What the dashboard sees by itself stays current while the database is unreachable.
  const current = view.link === "open" && view.paused === null;
  items.forEach((item, index) => draw(nodes[index], { isFromState: !current, ...item }));
}

/**
 * @param {Element} node
 * @param {Item} item
 */
function draw(node, { name, value, shape, isFromState }) {
  const kind = `health-item state-${shape}${isFromState ? " live" : ""}`;
  if (node.className !== kind) {
    node.className = kind;
    node.querySelector(".mark")?.remove();
    node.prepend(mark(shape));
  }
  setText(node.querySelector(".health-name"), name);
  setText(node.querySelector(".health-value"), value);
}

/**
 * @param {View} view
 * @returns {Item[]}
 */
function healthItems(view) {
  const { state, now } = view;
  if (state === null) return [streamItem(view)];
  if (!isInFull) return [streamItem(view), newestItem(state, now), peopleItem(state)];
  return [
    streamItem(view),
    ...state.daemons.filter(({ kind }) => kind !== "dashboard").map((daemon) => daemonItem(daemon, now)),
    databaseItem(state.database, now), lagItem(state.lag), gapsItem(state.gaps),
  ];
}

/**
 * @param {View} view
 * @returns {Item}
 */
function streamItem(view) {
  return { ...liveness(view), isFromState: false };
}

/**
 * @param {View} view
 * @returns {Item}
 */
function liveness({ state, link, heard, paused, now }) {
  if (link === "cut") {
    const value = heard === null ? "no answer" : `since ${timeText(heard, now)}`;
    return { name: "Connection cut", value, shape: "alarm" };
  }
  if (state === null) return { name: "Connecting", value: "…", shape: "quiet" };
  if (paused !== null) return { name: "Paused", value: `at ${timeText(paused, now)}`, shape: "caution" };
  if (state.database.state !== "ready") return { name: "Not live", value: "database unreachable", shape: "alarm" };
  if (state.data.state === "waiting") return { name: "Not live yet", value: "no reading so far", shape: "quiet" };
  if (state.data.state === "stale") {
    const since = timeText(Date.parse(state.data.since), now);
    return { name: "No new readings", value: `since ${since}`, shape: "caution" };
  }
  return { name: "Live", value: `since ${timeText(Date.parse(state.live_since ?? state.now), now)}`, shape: "good" };
}

/**
 * @param {API.State} state
 * @param {number} now
 * @returns {Item}
 */
function newestItem({ data }, now) {
  if (data.state === "waiting") return { name: "Newest reading", value: "none yet", shape: "quiet" };
  const value = `${duration(now - Date.parse(data.since))} ago`;
  const shape = data.state === "stale" ? "alarm" : data.state === "late" ? "caution" : "good";
  return { name: "Newest reading", value, shape, isFromState: true };
}

/**
 * @param {API.State} state
 * @returns {Item}
 */
function peopleItem({ totals, people: { counts } }) {
  const needed = counts.now === 0 ? "nobody needs somebody" :
    `${count(counts.now)} ${counts.now === 1 ? "needs" : "need"} somebody`;
  return {
    name: plural(totals.customers, "customer"), value: needed, isFromState: true,
    shape: counts.now > 0 ? "caution" : "good",
  };
}

/**
 * @param {API.Daemon} daemon
 * @param {number} now
 * @returns {Item}
 */
function daemonItem({ name, state, since, waiting_for: needed }, now) {
  const title = (name.charAt(0).toUpperCase() + name.slice(1)).replace("-", " ");
  const lasting = since === null ? "" : `, ${duration(now - Date.parse(since))}`;
  const awaited = needed.join(" and ") || "its start";
  switch (state) {
    case "ready": return { name: title, value: "running", shape: "good" };
    case "waiting": return { name: title, value: `waiting for ${awaited}${lasting}`, shape: "caution" };
    case "starting": return { name: title, value: "starting", shape: "quiet" };
    case "silent": return { name: title, value: `silent${lasting}`, shape: "alarm" };
    case "stopped":
      return { name: title, value: `stopped at ${timeText(Date.parse(since ?? ""), now)}`, shape: "alarm" };
    default: return { name: title, value: "not on this machine", shape: "quiet" };
  }
}

/**
 * @param {API.State["database"]} database
 * @param {number} now
 * @returns {Item}
 */
function databaseItem({ state, since }, now) {
  if (state === "ready") return { name: "Database", value: "ready", shape: "good" };
  return { name: "Database", value: `unreachable, ${duration(now - Date.parse(since))}`, shape: "alarm" };
}

/**
 * @param {API.State["lag"]} lag
 * @returns {Item}
 */
function lagItem(lag) {
  if (lag === null) return { name: "Lag", value: "unknown", shape: "quiet" };
  const seconds = lag.seconds === null ? "" : ` · ${rate(lag.seconds)} s`;
  // A consumer that keeps up is behind by what arrives during one batch.
  const late = (lag.seconds ?? 0) > 10 ? "caution" : "good";
  return { name: "Lag", value: plural(lag.messages, "message") + seconds, shape: late };
}

/**
 * @param {API.State["gaps"]} gaps
 * @returns {Item}
 */
function gapsItem(gaps) {
  if (gaps.count === 0) return { name: "Gaps in the log", value: "none", shape: "good", isFromState: true };
  const value = `${plural(gaps.messages, "message")} missing`;
  return { name: "Gaps in the log", value, shape: "alarm", isFromState: true };
}
