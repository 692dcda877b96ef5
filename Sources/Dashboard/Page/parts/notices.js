// @ts-check
// What is wrong or unusual, said plainly above everything else, and once to a screen reader.

import { childCount, element, mark, part, setText } from "../lib/dom.js";
import { duration, timeText } from "../lib/format.js";

const list = part("notices");
const spoken = part("spoken");
/** @type {string | null} */
let saidKeys = null;

/** @typedef {{key: string, shape: import("../lib/dom.js").Shape, title: string, detail: string}} Notice
 * @typedef {import("../lib/live.js").View} View
 * @typedef {import("../lib/live.js").StateView} StateView */

/** @param {View} view */
export function showNotices(view) {
  const notices = noticesFor(view);
  const isStale = view.state?.data.state === "stale";
  document.body.classList.toggle("not-current", view.state !== null && (!view.current || isStale));
  const nodes = childCount(list, notices.length, () => element("div", {}, mark("quiet"),
    element("div", {}, element("p", {}, element("strong")), element("p"))));
  notices.forEach((notice, index) => draw(nodes[index], notice));
  speak(notices, view);
}

/**
 * @param {Element} node
 * @param {Notice} notice
 */
function draw(node, { shape, title, detail }) {
  const kind = `notice notice-${shape}`;
  if (node.className !== kind) {
    node.className = kind;
    node.firstElementChild?.replaceWith(mark(shape));
  }
  setText(node.querySelector("strong"), title);
  setText(node.querySelector("p + p"), detail);
}

/**
 * Only that a state starts or ends is spoken, never a running time.
 * @param {Notice[]} notices
 * @param {View} view
 */
function speak(notices, view) {
  const keys = notices.map(({ key }) => key).join();
  if (keys === saidKeys || (saidKeys === null && view.state === null && notices.length === 0)) return;
  const before = saidKeys;
  saidKeys = keys;
  if (notices.length > 0) setText(spoken, notices.map(({ title }) => title.replace(/ \(.*\)/, "")).join(" "));
  else if (before !== null && before !== "") setText(spoken, "Live again.");
}

/** @param {View} view */
function noticesFor(view) {
  const { state, now } = view;
  /** @type {Notice[]} */
  const found = [];
  if (view.link === "cut") found.push(cutNotice(view));
  if (view.paused !== null) found.push(pausedNotice(view.paused, now));
  if (state === null) return found;
  if (state.database.state !== "ready") found.push(databaseNotice(state, now));
  else if (state.data.state === "waiting") found.push(waitingNotice(state, now));
  else if (state.data.state === "stale") found.push(staleNotice(state, now));
  else if (state.data.state === "late") found.push(lateNotice(state, now));
  const stopped = state.daemons.filter(({ state: condition }) => condition === "stopped" || condition === "silent");
  if (stopped.length > 0 && state.data.state !== "stale") found.push(stoppedNotice(stopped, now));
  return found;
}

/**
 * @param {number} ms
 * @param {number} now
 */
function since(ms, now) {
  return `since ${timeText(ms, now)} (${duration(now - ms)})`;
}

const elsewhere = "The cause is on the page Operations.";
const lastKnown = "The values below are the last known ones.";

/**
 * @param {View} view
 * @returns {Notice}
 */
function cutNotice({ heard, now }) {
  const detail = "This page keeps retrying every few seconds.";
  if (heard === null) return { key: "cut", shape: "alarm", title: "The dashboard does not answer.", detail };
  return {
    key: "cut", shape: "alarm", title: `The connection to the dashboard has been cut ${since(heard, now)}.`,
    detail: `${lastKnown} ${detail}`,
  };
}

/**
 * @param {number} paused
 * @param {number} now
 * @returns {Notice}
 */
function pausedNotice(paused, now) {
  return {
    key: "paused", shape: "info", title: `Paused ${since(paused, now)}.`,
    detail: "The page shows that moment. Press Resume to go live. A new alarm of high severity also ends the pause.",
  };
}

/**
 * @param {API.State} state
 * @param {number} now
 * @returns {Notice}
 */
function databaseNotice({ database, as_of: answered }, now) {
  const what = answered === null ? "It has not answered yet." : lastKnown;
  return {
    key: "database", shape: "alarm",
    title: `The database has been unreachable ${since(Date.parse(database.since), now)}.`,
    detail: `${what} The page resumes by itself. ${elsewhere}`,
  };
}

/**
 * @param {API.State} state
 * @param {number} now
 * @returns {Notice}
 */
function waitingNotice(state, now) {
  return { key: "waiting", shape: "info", title: "Waiting for the first reading.", detail: advice(state.daemons, now) };
}

/**
 * @param {API.State} state
 * @param {number} now
 * @returns {Notice}
 */
function staleNotice({ data, daemons }, now) {
  return {
    key: "stale", shape: "alarm", title: `No new reading of anybody ${since(Date.parse(data.since), now)}.`,
    detail: `Nobody is watched. ${lastKnown} ${advice(daemons, now)}`,
  };
}

/**
 * @param {API.State} state
 * @param {number} now
 * @returns {Notice}
 */
function lateNotice({ data }, now) {
  return {
    key: "late", shape: "caution",
    title: `Readings arrive late: the newest is ${duration(now - Date.parse(data.since))} old.`,
    detail: `They are stored and judged in their order, as after an outage or from a recording. ${elsewhere}`,
  };
}

/**
 * @param {API.Daemon[]} stopped
 * @param {number} now
 * @returns {Notice}
 */
function stoppedNotice(stopped, now) {
  const parts = stopped.map(({ name, state, since: at }) => {
    const verb = state === "stopped" ? "was stopped at" : "has been silent since";
    return `${name} ${verb} ${timeText(Date.parse(at ?? ""), now)}`;
  });
  return {
    key: `stopped ${stopped.map(({ name }) => name).join()}`, shape: "caution", title: `${parts.join("; ")}.`,
    detail: "Readings still arrive. If it was not meant, tell whoever looks after the system.",
  };
}

/**
 * What to do next when nothing arrives: the first daemon that does not run is the cause.
 * @param {API.Daemon[]} daemons
 * @param {number} now
 */
function advice(daemons, now) {
  const of = (/** @type {string} */ wanted) => daemons.filter(({ kind }) => kind === wanted);
  const waiting = [...of("consumer"), ...of("producer")].find(({ state }) => state === "waiting");
  if (waiting) {
    const needed = waiting.waiting_for.join(" and ");
    const they = waiting.waiting_for.length > 1 ? "they are" : "it is";
    return `The ${waiting.kind} is waiting for ${needed}: check that ${they} running.`;
  }
  for (const kind of ["consumer", "producer"]) {
    const stopped = of(kind).find(({ state }) => state === "stopped");
    if (stopped) {
      const at = timeText(Date.parse(stopped.since ?? ""), now);
      return `The ${kind} was stopped at ${at}: systemctl start heartbeat-${kind}`;
    }
    if (of(kind).some(({ state }) => state === "ready" || state === "starting")) continue;
    return `No ${kind} is visible on this machine. If it belongs here: systemctl start heartbeat-${kind}`;
  }
  return "Producer and consumer are running: the first reading appears here within a second of its arrival.";
}
