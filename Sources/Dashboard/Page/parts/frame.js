// @ts-check
// What both pages have around their contents: the stream, health, notices, pause, and the choice of the time zone.

import { Alarm } from "../alarm/alarm.js";
import { part, setText } from "../lib/dom.js";
import { isUTC, useUTC, zoneName } from "../lib/format.js";
import { glide } from "../lib/glide.js";
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
  for (const link of document.querySelectorAll(".brand, .places a")) {
    const isHere = link instanceof HTMLAnchorElement && link.pathname === location.pathname;
    if (isHere) link.setAttribute("aria-current", "page");
  }
  const live = new Live((view) => glide(() => {
    latest = view;
    showHealth(view);
    showNotices(view);
    alarm.show(view);
    drawPause(view.paused !== null);
    if (view.state !== null) setText(part("version"), `heartbeat ${view.state.version}`);
    show(view);
  }));
  const alarm = new Alarm(live);
  part("pause").addEventListener("click", () => live.pause(latest?.paused === null));
  startZone(() => {
    if (latest === null) return;
    showHealth(latest);
    showNotices(latest);
    show({ ...latest, points: null });
  });
  live.start();
}

/** A pause also ends by itself, at an alarm.
 * @param {boolean} on */
function drawPause(on) {
  part("pause").classList.toggle("strong", on);
  setText(part("pause"), on ? "Resume" : "Pause");
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
