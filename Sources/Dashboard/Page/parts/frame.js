// What both pages have around their contents: the stream, health, notices, pause, and the choice of the time zone.

import { setText } from "../lib/dom.js";
import { isUTC, useUTC, zoneName } from "../lib/format.js";
import { showHealth } from "./health.js";
import { Live } from "../lib/live.js";
import { showNotices } from "./notices.js";

/** Starts the stream, and calls `show(view)` (see live.js) after the frame has been drawn. Answers the stream. */
export function startFrame(show) {
  let latest = null;
  if (location.pathname === "/") document.querySelector(".brand").setAttribute("aria-current", "page");
  const live = new Live((view) => {
    latest = view;
    showHealth(view);
    showNotices(view);
    if (view.state !== null) setText(document.getElementById("version"), `heartbeat ${view.state.version}`);
    show(view);
  });
  startPause(live);
  startZone(() => {
    if (latest === null) return;
    showHealth(latest);
    showNotices(latest);
    show({ ...latest, points: null });
  });
  live.start();
  return live;
}

function startPause(live) {
  const button = document.getElementById("pause");
  let paused = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.classList.toggle("strong", paused);
    setText(button, paused ? "Resume" : "Pause");
    live.pause(paused);
  });
}

function startZone(redraw) {
  const button = document.getElementById("zone");
  const shown = document.getElementById("zone-name");
  const draw = () => {
    button.setAttribute("aria-pressed", String(isUTC()));
    setText(shown, `Times in ${zoneName()}`);
  };
  button.addEventListener("click", () => {
    useUTC(!isUTC());
    draw();
    redraw();
  });
  draw();
}

const patience = 10_000; // ms: an answer that takes longer is given up, and asked for again

/** Fetches JSON; fails with the problem's own words. */
export async function fetchJSON(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== "");
  return answerOf(await fetch(`${path}?${new URLSearchParams(given)}`, { signal: AbortSignal.timeout(patience) }));
}

/** Sends JSON to where something can be changed; fails with the problem's own words. */
export async function postJSON(path, body) {
  const headers = { "Content-Type": "application/json" };
  return answerOf(await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(patience) }));
}

async function answerOf(response) {
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  const failure = new Error(problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`);
  failure.status = response.status;
  throw failure;
}
