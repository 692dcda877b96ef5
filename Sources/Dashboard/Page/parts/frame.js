// @ts-check
// What both pages have around their contents: the stream, health, notices, pause, and the choice of the time zone.

import { part, setText } from "../lib/dom.js";
import { isUTC, useUTC, zoneName } from "../lib/format.js";
import { showHealth } from "./health.js";
import { Live } from "../lib/live.js";
import { showNotices } from "./notices.js";

/** @typedef {import("../lib/live.js").View} View */

/**
 * Starts the stream, and calls `show(view)` after the frame has been drawn.
 * @param {(view: View) => void} show
 */
export function startFrame(show) {
  /** @type {View | null} */
  let latest = null;
  if (location.pathname.endsWith("/")) document.querySelector(".brand")?.setAttribute("aria-current", "page");
  const live = new Live((view) => {
    latest = view;
    showHealth(view);
    showNotices(view);
    if (view.state !== null) setText(part("version"), `heartbeat ${view.state.version}`);
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
}

/** @param {Live} live */
function startPause(live) {
  const button = part("pause");
  let paused = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.classList.toggle("strong", paused);
    setText(button, paused ? "Resume" : "Pause");
    live.pause(paused);
  });
}

/** @param {() => void} redraw */
function startZone(redraw) {
  const button = part("zone");
  const shown = part("zone-name");
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
