// The health strip: is the picture true? One item each for the stream, the daemons, the database, lag and gaps.

import { childCount, element, mark, setText } from "../lib/dom.js";
import { duration, plural, rate, timeText } from "../lib/format.js";

const strip = document.getElementById("health");

/** Draws the strip. Each item: {name, value, shape (see mark), told}: a told one is greyed when the picture is not current. */
export function showHealth(view) {
  const items = healthItems(view);
  const nodes = childCount(strip, items.length, () => element("li", { class: "health-item" }, mark("quiet"),
    element("span", { class: "health-name" }), element("span", { class: "health-value" })));
  // What the dashboard sees by itself stays current while the database is away.
  const current = view.link === "open" && view.paused === null;
  items.forEach((item, index) => draw(nodes[index], { told: !current, ...item }));
}

function draw(node, { name, value, shape, told }) {
  const kind = `health-item state-${shape}${told ? " live" : ""}`;
  if (node.className !== kind) {
    node.className = kind;
    node.querySelector(".mark")?.remove();
    node.prepend(mark(shape));
  }
  setText(node.querySelector(".health-name"), name);
  setText(node.querySelector(".health-value"), value);
}

function healthItems(view) {
  const { state, now } = view;
  if (state === null) return [streamItem(view)];
  return [
    streamItem(view), ...state.daemons.filter(({ kind }) => kind !== "dashboard").map((daemon) => daemonItem(daemon, now)),
    databaseItem(state.database, now), lagItem(state.lag), gapsItem(state.gaps),
  ];
}

function streamItem({ state, link, heard, paused, now }) {
  const told = false;
  if (link === "cut") {
    const value = heard === null ? "no answer" : `since ${timeText(heard, now)}`;
    return { name: "Connection cut", value, shape: "alarm", told };
  }
  if (state === null) return { name: "Connecting", value: "…", shape: "quiet", told };
  if (paused !== null) return { name: "Paused", value: `at ${timeText(paused, now)}`, shape: "caution", told };
  if (state.database.state !== "ready") return { name: "Not live", value: "database away", shape: "alarm", told };
  if (state.data.state === "waiting") return { name: "Not live yet", value: "no reading so far", shape: "quiet", told };
  const since = Date.parse(state.live_since ?? state.now);
  if (state.data.state === "stale") {
    return { name: "No new readings", value: `since ${timeText(Date.parse(state.data.since), now)}`, shape: "caution", told };
  }
  return { name: "Live", value: `since ${timeText(since, now)}`, shape: "good", told };
}

const kinds = { producer: "Producer", consumer: "Consumer" };

function daemonItem({ name, kind, state, since, waiting_for: needed }, now) {
  const title = name.replace(kind, kinds[kind] ?? kind).replace("-", " ");
  const lasting = since === null ? "" : `, ${duration(now - Date.parse(since))}`;
  switch (state) {
    case "ready": return { name: title, value: "working", shape: "good" };
    case "waiting": return { name: title, value: `waits for ${needed.join(" and ") || "its start"}${lasting}`, shape: "caution" };
    case "starting": return { name: title, value: "starting", shape: "quiet" };
    case "silent": return { name: title, value: `silent${lasting}`, shape: "alarm" };
    default: return { name: title, value: "not on this machine", shape: "quiet" };
  }
}

function databaseItem({ state, since }, now) {
  if (state === "ready") return { name: "Database", value: "ready", shape: "good" };
  const value = since === null ? "away" : `away, ${duration(now - Date.parse(since))}`;
  return { name: "Database", value, shape: "alarm" };
}

function lagItem(lag) {
  if (lag === null) return { name: "Lag", value: "unknown", shape: "quiet" };
  const seconds = lag.seconds === null ? "" : ` · ${rate(lag.seconds)} s`;
  // A consumer that keeps up is behind by what arrives during one batch.
  const late = (lag.seconds ?? 0) > 10 ? "caution" : "good";
  return { name: "Lag", value: plural(lag.messages, "message") + seconds, shape: late };
}

function gapsItem(gaps) {
  if (gaps.count === 0) return { name: "Gaps in the log", value: "none", shape: "good", told: true };
  return { name: "Gaps in the log", value: `${plural(gaps.messages, "message")} missing`, shape: "alarm", told: true };
}
