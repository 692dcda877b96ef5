// @ts-check
// A chart's time by hand: dragging shows what was dragged over, the wheel with Ctrl and + and - zoom, the arrows move,
// Escape goes back.

import { element } from "../lib/dom.js";

/** @typedef {import("../parts/range-choice.js").Range} Range */

const least = 6; // px: a shorter drag is a press

/**
 * @typedef {object} Hand
 * @property {() => Range} shown
 * @property {(x: number) => number} timeAt the time at a place on the chart, in px from its left
 * @property {(range: Range) => void} zoomTo
 * @property {() => void} back
 * @property {(time: number) => void} press called at a press that was no drag
 */

/**
 * Lets a hand choose the time that a plot shows.
 * @param {HTMLElement} plot
 * @param {Hand} hand
 */
export function letHandChoose(plot, hand) {
  const mark = element("div", { class: "plot-choice", hidden: true });
  plot.append(mark);
  /** @type {number | null} */
  let start = null;
  const place = (/** @type {PointerEvent | WheelEvent} */ event) => event.clientX - plot.getBoundingClientRect().left;
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    start = place(event);
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const end = place(event);
    mark.hidden = Math.abs(end - start) < least;
    mark.style.left = `${Math.min(start, end)}px`;
    mark.style.width = `${Math.abs(end - start)}px`;
  });
  plot.addEventListener("pointercancel", () => {
    start = null;
    mark.hidden = true;
  });
  plot.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const times = [start, place(event)].map(hand.timeAt).sort((a, b) => a - b), isDrag = !mark.hidden;
    start = null;
    mark.hidden = true;
    if (isDrag) hand.zoomTo({ from: times[0], until: times[1] });
    else hand.press(times[0]);
  });
  plot.addEventListener("wheel", (event) => {
    // The page scrolls as ever, unless somebody holds a key for zooming.
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    zoom(hand, (event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8, hand.timeAt(place(event)));
  }, { passive: false });
  plot.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -0.25, ArrowRight: 0.25 }, zooms = { "+": 0.5, "-": 2, "=": 0.5 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const factor = zooms[/** @type {keyof typeof zooms} */ (event.key)];
    if (step === undefined && factor === undefined && event.key !== "Escape") return;
    event.preventDefault();
    if (step !== undefined) pan(hand, step);
    else if (factor !== undefined) zoom(hand, factor, middle(hand.shown()));
    else hand.back();
  });
}

const middle = (/** @type {Range} */ { from, until }) => (from + until) / 2;

/**
 * @param {Hand} hand
 * @param {number} part of the shown time
 */
function pan(hand, part) {
  const { from, until } = hand.shown(), step = (until - from) * part;
  hand.zoomTo({ from: from + step, until: until + step });
}

/**
 * Shows that many times as much time; what is at `at` stays where it is.
 * @param {Hand} hand
 * @param {number} factor
 * @param {number} at
 */
function zoom(hand, factor, at) {
  const { from, until } = hand.shown();
  hand.zoomTo({ from: at - (at - from) * factor, until: at + (until - at) * factor });
}
