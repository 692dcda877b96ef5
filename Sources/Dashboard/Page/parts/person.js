// @ts-check
// Who a customer is and how the customer is now.

import { element, part, setText } from "../lib/dom.js";
import { count, duration, timeText } from "../lib/format.js";
import { arrow, showStatus } from "../lib/status.js";

/**
 * Shows the latest reading.
 * @param {API.CustomerDetails} customer
 * @param {number} now
 */
export function showPerson(customer, now) {
  const [value, status, age, since] = parts();
  // The last rate of a customer who has stopped sending is not a current one.
  const isCurrent = customer.is_current;
  value.className = isCurrent ? "now-value" : "now-value old";
  setText(value, `${isCurrent ? "" : "last "}${customer.heart_rate} bpm ${arrow(customer.direction)}`.trim());
  showStatus(status, customer.status);
  const at = Date.parse(customer.recorded_at);
  setText(age, `${duration(now - at)} ago, ${timeText(at, now)}`);
  const first = Date.parse(customer.first_recorded_at ?? customer.created_at ?? customer.recorded_at);
  const counts = `${count(customer.readings)} readings, ${count(customer.anomalies)} anomalies`;
  setText(since, `${counts} since ${timeText(first, now)}`);
}

function parts() {
  const now = part("now");
  if (now.children.length === 0) {
    now.replaceChildren(
      element("span", { class: "now-value" }), element("span"), element("span", { class: "age" }), element("span"));
  }
  return now.children;
}

/**
 * Shows the customer's own limits, when there are any, beside the common ones.
 * @param {API.CustomerDetails} customer
 * @param {API.Limits} limits
 */
export function showLimits({ own_limits: own }, { heart_rate_min: lowest, heart_rate_max: highest }) {
  part("limits").hidden = own === null;
  if (own === null) return;
  const span = `${own.heart_rate_min ?? lowest} to ${own.heart_rate_max ?? highest} bpm`;
  setText(part("limits"), `Own limits for episodes: ${span}, instead of ${lowest} to ${highest}.`);
}

/**
 * Shows the limits that would suit this heart, and takes them into the form where a person sets own limits.
 * @param {API.CustomerDetails} customer
 */
export function showProposal({ proposed_limits: proposed }) {
  const note = part("proposal");
  note.hidden = proposed === null;
  if (proposed === null) return;
  if (note.childElementCount === 0) {
    note.replaceChildren(element("span"), element("a", { href: "#limit-min" }));
    note.lastElementChild?.addEventListener("click", () => {
      const field = document.getElementById("limit-min");
      if (!(field instanceof HTMLInputElement)) return;
      field.value = note.dataset.minimum ?? "";
      // The form says what changes.
      field.dispatchEvent(new Event("input"));
    });
    note.lastElementChild?.toggleAttribute("hidden", document.getElementById("limit-min") === null);
  }
  note.dataset.minimum = `${proposed.heart_rate_min}`;
  setText(
    /** @type {HTMLElement} */ (note.firstElementChild),
    `This heart is slow in sleep. ${proposed.heart_rate_min} bpm as its own lowest limit would suit it. `);
  setText(note.lastElementChild, `Take ${proposed.heart_rate_min} bpm`);
}

/**
 * Shows for how much of the last hours the heart was irregular, where that is known.
 * @param {API.CustomerDetails} customer
 */
export function showIrregular({ irregular }) {
  part("irregular").hidden = irregular === null;
  if (irregular === null) return;
  setText(part("irregular"), 
    `The heartbeat was irregular for ${irregular.percent} % of the last ${duration(irregular.minutes * 60_000)}.`);
}
