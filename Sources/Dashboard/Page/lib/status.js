// @ts-check
// A customer's status as a word and a shape: the same wherever a customer is shown. The server decides which it is.

import { element, mark } from "./dom.js";

/** @typedef {API.Status} Status */

/** @type {Record<Status, import("./dom.js").Shape>} */
const shapes = {
  high: "alarm", medium: "caution", low: "notice", "no signal": "broken", "not worn": "quiet", normal: "good",
};

/** The statuses from the most urgent on.
 * @type {Status[]} */
export const statuses = ["high", "medium", "low", "no signal", "not worn", "normal"];

/** A status as a part of a class's name.
 * @param {Status} status */
export const statusClass = (status) => status.replace(" ", "-");

/**
 * A status as its mark and its word.
 * @param {Status} status
 */
export function statusMark(status) {
  return element("span", { class: `status status-${statusClass(status)}`, "data-status": status },
    mark(shapes[status]), element("span", {}, status));
}

/**
 * Shows a status in an element, which is drawn again only when it differs.
 * @param {Element} target
 * @param {Status} status
 */
export function showStatus(target, status) {
  const shown = /** @type {HTMLElement | null} */ (target.firstElementChild);
  if (shown?.dataset.status !== status) target.replaceChildren(statusMark(status));
}

const arrows = { rising: "↗", steady: "→", falling: "↘" };

/** Where a rate goes, as an arrow.
 * @param {API.Customer["direction"]} direction */
export const arrow = (direction) => (direction === null ? "" : arrows[direction]);

