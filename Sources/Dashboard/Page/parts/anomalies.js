// The latest anomalies, each with its reason.

import { childCount, customerAddress, element, setText } from "../lib/dom.js";
import { timeText } from "../lib/format.js";

const list = document.getElementById("anomalies");

export function showAnomalies({ anomalies, data }, now) {
  if (anomalies.length === 0) {
    const text = data.state === "waiting" ? "Anomalies appear here as they arrive." : "No anomaly so far.";
    if (list.textContent !== text) list.replaceChildren(element("p", { class: "empty-line" }, text));
    return;
  }
  if (list.firstElementChild?.tagName !== "UL") list.replaceChildren(element("ul"));
  const rows = childCount(list.firstElementChild, anomalies.length, makeRow);
  anomalies.forEach((anomaly, index) => draw(rows[index], anomaly, now));
}

function makeRow() {
  return element("li", { class: "anomaly" }, element("span", { class: "anomaly-rate" }), element("a"), element("time"),
    element("span", { class: "anomaly-reason" }));
}

function draw(row, { customer_id: id, recorded_at: at, heart_rate: bpm, anomaly_reason: reason }, now) {
  const [figure, link, time, why] = row.children;
  setText(figure, `${bpm}`);
  setText(link, id);
  link.href = customerAddress(id);
  time.dateTime = at;
  setText(time, timeText(Date.parse(at), now));
  setText(why, reason ?? "");
}
