// What is wrong or unusual, said plainly above everything else, and once to a screen reader.

import { childCount, element, mark, setText } from "../lib/dom.js";
import { duration, timeText } from "../lib/format.js";

const list = document.getElementById("notices");
const spoken = document.getElementById("spoken");
let saidKeys = null;

export function showNotices(view) {
  const notices = noticesFor(view);
  document.body.classList.toggle("not-current", view.state !== null && !view.current);
  const nodes = childCount(list, notices.length, () => element("div", {}, mark("quiet"),
    element("div", {}, element("p", {}, element("strong")), element("p"))));
  notices.forEach((notice, index) => draw(nodes[index], notice));
  const alarm = notices.some(({ shape }) => shape === "alarm");
  const title = document.title.replace(/^⚠ /, "");
  if (document.title.startsWith("⚠") !== alarm) document.title = alarm ? `⚠ ${title}` : title;
  speak(notices, view);
}

function draw(node, { shape, title, detail }) {
  const kind = `notice notice-${shape}`;
  if (node.className !== kind) {
    node.className = kind;
    node.firstElementChild.replaceWith(mark(shape));
  }
  setText(node.querySelector("strong"), title);
  setText(node.querySelector("p + p"), detail);
}

/** Only the coming and going of a state is spoken, never a running time. */
function speak(notices, view) {
  const keys = notices.map(({ key }) => key).join();
  if (keys === saidKeys || (saidKeys === null && view.state === null && notices.length === 0)) return;
  const before = saidKeys;
  saidKeys = keys;
  if (notices.length > 0) setText(spoken, notices.map(({ title }) => title.replace(/ \(.*\)/, "")).join(" "));
  else if (before !== null && before !== "") setText(spoken, "Live again.");
}

function noticesFor(view) {
  const found = [];
  if (view.link === "cut") found.push(cutNotice(view));
  if (view.paused !== null) found.push(pausedNotice(view));
  if (view.state === null) return found;
  if (view.state.database.state !== "ready") found.push(databaseNotice(view));
  else if (view.state.data.state === "waiting") found.push(waitingNotice(view.state));
  else if (view.state.data.state === "stale") found.push(staleNotice(view));
  return found;
}

function since(ms, now) {
  return `since ${timeText(ms, now)} (${duration(now - ms)})`;
}

function cutNotice({ heard, now }) {
  const detail = "This page tries again by itself, every few seconds.";
  if (heard === null) return { key: "cut", shape: "alarm", title: "The dashboard does not answer.", detail };
  return {
    key: "cut", shape: "alarm", title: `The connection to the dashboard is cut ${since(heard, now)}.`,
    detail: `What stands below are the last known values. ${detail}`,
  };
}

function pausedNotice({ paused, now }) {
  return {
    key: "paused", shape: "info", title: `Paused ${since(paused, now)}.`,
    detail: "What stands below is from then. The button “Resume” goes on with what is current.",
  };
}

function databaseNotice({ state, now }) {
  const { since: start, error } = state.database;
  const title = start === null ? "The database is away." : `The database is away ${since(Date.parse(start), now)}.`;
  const what = state.as_of === null ? "There was no answer from it yet." : "What stands below are the last known values.";
  return { key: "database", shape: "alarm", title, detail: `${what} The page goes on by itself once it is back.${error ? ` It said: ${error}` : ""}` };
}

function waitingNotice(state) {
  return { key: "waiting", shape: "info", title: "Waiting for the first reading.", detail: advice(state.daemons) };
}

function staleNotice({ state, now }) {
  return {
    key: "stale", shape: "caution", title: `No new reading ${since(Date.parse(state.data.since), now)}.`,
    detail: `What stands below is the latest that there is. ${advice(state.daemons)}`,
  };
}

/** What to do next when nothing arrives: the first daemon that does not work is the cause. */
function advice(daemons) {
  const of = (kind) => daemons.filter((daemon) => daemon.kind === kind);
  const waiting = [...of("consumer"), ...of("producer")].find(({ state }) => state === "waiting");
  if (waiting) return `The ${waiting.kind} waits for ${waiting.waiting_for.join(" and ")}: see that it runs.`;
  for (const kind of ["consumer", "producer"]) {
    if (of(kind).some(({ state }) => state === "ready" || state === "starting")) continue;
    return `Nothing is seen of the ${kind} here. If it belongs on this machine: systemctl start heartbeat-${kind}`;
  }
  return "Producer and consumer work: the first reading appears here within a second of its arrival.";
}
