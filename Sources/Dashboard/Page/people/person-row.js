// @ts-check
// One customer in the list of people: how the heart beats now, where that goes, what is open, who has seen it.

import { customerAddress, element, setText, vector } from "../lib/dom.js";
import { capitalized, isUnseen, limitOf, shownSeverity } from "../lib/episode.js";
import { age, duration, isolated, minuteText, timeText } from "../lib/format.js";
import { sparkline } from "../lib/sparkline.js";
import { arrow, showStatus, statusClass } from "../lib/status.js";

/** @typedef {API.Customer} Customer */

/** @param {string} id */
export function makePerson(id) {
  const line = vector("svg", {
    class: "person-trend", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true",
  });
  line.append(vector("path", { class: "person-limit", "vector-effect": "non-scaling-stroke" }),
    vector("path", { class: "person-line", "vector-effect": "non-scaling-stroke" }),
    vector("path", { class: "person-end", "vector-effect": "non-scaling-stroke" }));
  const attributes = { class: "id", dir: "auto", href: customerAddress(id), title: id };
  return element("li", { class: "person", "data-customer": id },
    element("p", { class: "person-rate" }, element("span", { class: "person-bpm" }),
      element("span", { class: "arrow" })),
    element("p", { class: "person-who" }, element("a", attributes, id),
      element("span", { class: "person-status" })),
    line,
    element("p", { class: "person-why" }, element("strong"), element("span"),
      element("span", { class: "person-since" })),
    element("p", { class: "person-act", tabindex: "-1" }));
}

/**
 * @param {HTMLElement} row
 * @param {Customer} customer
 * @param {number} now
 */
export function drawPerson(row, customer, now) {
  const [rate, who, line, why, act] = /** @type {HTMLElement[]} */ ([...row.children]);
  const [first] = customer.episodes;
  const kind = `person person-${statusClass(customer.status)} section-${customer.section ?? "none"}`;
  if (row.className !== kind) row.className = kind;
  setText(rate.children[0], customer.is_current ? String(customer.heart_rate) : "–");
  setText(rate.children[1], arrow(customer.direction));
  rate.setAttribute("aria-label", rateText(customer));
  showStatus(who.children[1], customer.status);
  drawLine(line, customer.trend, first === undefined ? NaN : limitOf(first.reason));
  setText(why.children[0], whatText(customer.episodes));
  setText(why.children[1], first === undefined ? "" : reasonText(customer, now));
  setText(why.children[2], first === undefined ? "" : sinceText(customer, now));
  drawAct(act, customer, now);
}

/** @param {Customer} customer */
function rateText({ is_current: current, heart_rate: bpm, direction }) {
  return current ? `${bpm} bpm${direction === null ? "" : `, ${direction}`}` : `no current rate, last ${bpm} bpm`;
}

/**
 * @param {HTMLElement} line
 * @param {Customer["trend"]} trend
 * @param {number} limit
 */
function drawLine(line, trend, limit) {
  const { path, limit: height, end } = sparkline(trend, limit);
  const [limitLine, curve, dot] = line.children;
  limitLine.setAttribute("d", height === null ? "" : `M0,${height.toFixed(1)}H100`);
  curve.setAttribute("d", path);
  // A line of no length with round ends: a circle that is not stretched with the rest.
  dot.setAttribute("d", end === null ? "" : `M${end.x.toFixed(1)},${end.y.toFixed(1)}h0`);
}

/** @param {API.Episode[]} episodes */
function whatText(episodes) {
  const [first, ...others] = episodes;
  if (first === undefined) return "";
  const names = [first.kind, ...others.filter(({ kind }) => kind !== first.kind).map(({ kind, closed_at: closed }) =>
    (closed === null ? kind : `${kind} (ended)`))];
  const text = capitalized(names.join(" and "));
  switch (first.attention) {
    case "ended": return `${text} ended`;
    case "eased": return `${text} eased`;
    default: return text;
  }
}

/**
 * @param {Customer} customer
 * @param {number} now
 */
function reasonText({ episodes: [first], heart_rate: bpm, is_current: current, recorded_at: at }, now) {
  if (!current) return `last ${bpm} bpm ${age(now - Date.parse(at))} ago`;
  return first.reason;
}

/**
 * @param {Customer} customer
 * @param {number} now
 */
function sinceText({ episodes: [first] }, now) {
  const opened = Date.parse(first.opened_at);
  if (first.attention === "ended" && first.closed_at !== null) {
    return `was high until ${timeText(Date.parse(first.closed_at), now)}, not seen by anybody`;
  }
  const since = `since ${timeText(opened, now)}, ${duration(now - opened)}`;
  if (first.attention === "eased") return `${since}; was high, not seen by anybody`;
  if (first.attention === "reminder") {
    return `${since}; seen by ${first.acknowledged_by} ${age(now - Date.parse(first.acknowledged_at ?? ""))} ago`;
  }
  if (first.attention === "new" && first.acknowledged_severity !== null) {
    return `${since}; was ${first.acknowledged_severity} when ${first.acknowledged_by} saw it`;
  }
  return shownSeverity(first) === first.worst_severity ? since : `${since}; was ${first.worst_severity}`;
}

/**
 * A button for what nobody has seen; else who has.
 * @param {HTMLElement} act
 * @param {Customer} customer
 * @param {number} now
 */
function drawAct(act, { customer_id: id, episodes, paused_until: until, paused_by: pauser }, now) {
  const unseen = episodes.filter(isUnseen), [first] = unseen;
  const isLess = first?.attention === "ended" || first?.attention === "eased";
  const word = first === undefined || until !== null ? "" : isLess ? "Seen" : "Acknowledge";
  if (act.dataset.word !== word) {
    act.dataset.word = word;
    const kinds = unseen.map(({ kind }) => kind).join(", ");
    const label = `${word} ${kinds} of ${isolated(id)}`;
    const attributes = { type: "button", class: "button person-button", "aria-label": label };
    act.replaceChildren(word === "" ? element("span") : element("button", attributes, word));
  }
  if (until !== null) {
    return setText(act.firstElementChild, `Paused until ${minuteText(Date.parse(until))} by ${pauser}`);
  }
  const seen = episodes.find(({ acknowledged_by: by }) => by !== null);
  if (word !== "" || seen === undefined) return;
  const note = seen.acknowledged_note === null ? "" : ` “${seen.acknowledged_note}”`;
  setText(act.firstElementChild,
    `✓ ${seen.acknowledged_by}, ${timeText(Date.parse(seen.acknowledged_at ?? ""), now)}${note}`);
}
