// @ts-check
// The latest anomalies, each with its reason.

import { childCount, customerAddress, element, part, setText } from "../lib/dom.js";
import { timeText } from "../lib/format.js";

const list = part("anomalies");

/**
 * @param {API.State} state
 * @param {number} now
 */
export function showAnomalies({ anomalies, data }, now) {
  if (anomalies.length === 0) {
    const text = data.state === "waiting" ? "Anomalies appear here as they arrive." : "No anomalies so far.";
    if (list.textContent !== text) list.replaceChildren(element("p", { class: "empty-line" }, text));
    return;
  }
  if (list.querySelector("ul") === null) list.replaceChildren(element("ul"));
  const rows = childCount(list.children[0], anomalies.length, makeRow);
  anomalies.forEach((anomaly, index) => draw(rows[index], anomaly, now));
}

function makeRow() {
  return element("li", { class: "anomaly" },
    element("span", { class: "anomaly-rate" }), element("a", { class: "id", dir: "auto" }), element("time"),
    element("span", { class: "anomaly-reason" }));
}

/**
 * @param {Element} row
 * @param {API.Anomaly} anomaly
 * @param {number} now
 */
function draw(row, { customer_id: id, recorded_at: at, heart_rate: bpm, anomaly_reason: reason }, now) {
  const [figure, link, time, why] = row.children;
  setText(figure, `${bpm}`);
  setText(link, id);
  link.setAttribute("href", customerAddress(id));
  time.setAttribute("datetime", at);
  setText(time, timeText(Date.parse(at), now));
  setText(why, reason ?? "");
}
