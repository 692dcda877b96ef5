// Every customer: the page of the table that is shown is asked for again and again while the picture is live.

import { childCount, customerAddress, element, mark, press, setText, vector } from "../lib/dom.js";
import { age, count } from "../lib/format.js";
import { fetchJSON } from "./frame.js";
import { longestJoin } from "../chart/holes.js";

const refresh = 2000; // ms between two requests for the shown rows
export const statusNames = { normal: "normal", high: "too high", low: "too low", silent: "silent" };
const shapes = { normal: "good", high: "high", low: "low", silent: "quiet" };

/** The table with its search, sorting, filter and pages. What is chosen is kept in the page's address. */
export class Customers {
  #part = Object.fromEntries(["customers", "search", "statuses", "range", "rows", "first", "previous", "next", "last"]
    .map((id) => [id, document.getElementById(id)]));
  #body = this.#part.customers.tBodies[0];
  #ask;
  #answer = null;
  #asked = 0;
  #loading = false;
  #latest = 0;

  constructor() {
    const given = new URLSearchParams(location.search);
    this.#ask = {
      search: given.get("search") ?? "", status: given.get("status") ?? "", sort: given.get("sort") ?? "customer_id",
      order: given.get("order") ?? "asc", limit: Number(given.get("limit")) || 25, offset: Number(given.get("offset")) || 0,
    };
    this.#part.search.value = this.#ask.search;
    this.#part.rows.value = String(this.#ask.limit);
    this.#listen();
    this.#markSorting();
  }

  /** Draws ages and filters, and asks for the rows again when it is time to. */
  show({ state, current, now }) {
    this.#drawStatuses(state.status_counts);
    const due = Date.now() - this.#asked > refresh && !this.#loading;
    if (due && (current || this.#answer === null)) this.#load();
    // Ages go on, also of rows that are not current any more.
    this.#drawAges(now);
  }

  #listen() {
    const { search, statuses, rows, customers } = this.#part;
    let typing = null;
    search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#change({ search: search.value.trim(), offset: 0 }), 150);
    });
    rows.addEventListener("change", () => this.#change({ limit: Number(rows.value), offset: 0 }));
    statuses.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      press(statuses, button);
      this.#change({ status: button.dataset.status, offset: 0 });
    });
    customers.tHead.addEventListener("click", ({ target }) => {
      const column = target.closest("button")?.closest("th").dataset.sort;
      if (column) this.#change({ sort: column, order: this.#orderAfterClick(column), offset: 0 });
    });
    const move = (offset) => () => this.#change({ offset: Math.max(0, offset()) });
    const lastOffset = () => Math.floor(Math.max(0, (this.#answer?.total ?? 1) - 1) / this.#ask.limit) * this.#ask.limit;
    this.#part.first.addEventListener("click", move(() => 0));
    this.#part.previous.addEventListener("click", move(() => this.#ask.offset - this.#ask.limit));
    this.#part.next.addEventListener("click", move(() => Math.min(lastOffset(), this.#ask.offset + this.#ask.limit)));
    this.#part.last.addEventListener("click", move(lastOffset));
  }

  /** A column's first order is the one that its reader wants: worst, most or youngest first. */
  #orderAfterClick(column) {
    if (column === this.#ask.sort) return this.#ask.order === "asc" ? "desc" : "asc";
    return ["customer_id", "status"].includes(column) ? "asc" : "desc";
  }

  #change(wanted) {
    Object.assign(this.#ask, wanted);
    const address = new URLSearchParams(Object.entries(this.#ask).filter(([, value]) => value !== "" && value !== 0));
    history.replaceState(null, "", `?${address}`);
    this.#markSorting();
    this.#load();
  }

  #markSorting() {
    for (const heading of this.#part.customers.tHead.querySelectorAll("th[data-sort]")) {
      if (heading.dataset.sort !== this.#ask.sort) heading.removeAttribute("aria-sort");
      else heading.setAttribute("aria-sort", this.#ask.order === "asc" ? "ascending" : "descending");
    }
  }

  async #load() {
    this.#asked = Date.now();
    this.#loading = true;
    const turn = ++this.#latest;
    try {
      const answer = await fetchJSON("/api/v1/customers", this.#ask);
      // Answers can overtake each other: only the one to the latest question counts.
      if (turn !== this.#latest) return;
      this.#answer = answer;
      this.#draw();
    } catch (failure) {
      if (turn === this.#latest && this.#answer === null) setText(this.#part.range, `No answer: ${failure.message}`);
    } finally {
      if (turn === this.#latest) this.#loading = false;
    }
  }

  #draw() {
    const { items, total } = this.#answer, { offset, limit } = this.#ask;
    if (items.length === 0 && total > 0 && offset > 0) return this.#change({ offset: Math.floor((total - 1) / limit) * limit });
    const rows = childCount(this.#body, items.length, makeRow);
    items.forEach((item, index) => drawRow(rows[index], item));
    this.#drawAges(Date.parse(this.#answer.as_of ?? "") || Date.now());
    setText(this.#part.range, total === 0 ? this.#emptyText() :
      `${count(offset + 1)}–${count(offset + items.length)} of ${count(total)}`);
    this.#part.first.disabled = this.#part.previous.disabled = offset === 0;
    this.#part.next.disabled = this.#part.last.disabled = offset + limit >= total;
  }

  #emptyText() {
    return this.#ask.search !== "" || this.#ask.status !== "" ? "No customer matches." : "No customer yet.";
  }

  #drawStatuses(counts) {
    const all = Object.values(counts).reduce((sum, each) => sum + each, 0);
    const wanted = [["", "all", all], ...["high", "low", "silent"].map((status) => [status, statusNames[status], counts[status]])];
    const buttons = childCount(this.#part.statuses, wanted.length, () => element("button", { type: "button" }));
    wanted.forEach(([status, name, number], index) => {
      buttons[index].dataset.status = status;
      setText(buttons[index], `${name} ${count(number)}`);
    });
    press(this.#part.statuses, buttons[wanted.findIndex(([status]) => status === this.#ask.status)]);
  }

  #drawAges(now) {
    this.#answer?.items.forEach((item, index) => {
      const row = this.#body.rows[index];
      if (row) setText(row.cells[3], age(now - Date.parse(item.recorded_at)));
    });
  }
}

function makeRow() {
  const trace = vector("svg", { class: "trace", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" });
  trace.append(vector("path", { "vector-effect": "non-scaling-stroke" }));
  return element("tr", {}, element("th", { scope: "row", class: "name" }, element("a")), element("td", { class: "right bpm" }),
    element("td", {}, statusMark("normal")), element("td", { class: "right" }), element("td", { class: "wide" }, trace),
    element("td", { class: "right wider" }), element("td", { class: "right wider" }));
}

/** A status as its mark and its name. */
export function statusMark(status) {
  return element("span", { class: `status status-${status}` }, mark(shapes[status]), element("span", {}, statusNames[status]));
}

function drawRow(row, item) {
  const [name, bpm, status, , trace, readings, anomalies] = row.cells;
  const link = name.firstElementChild, same = link.textContent === item.customer_id;
  setText(link, item.customer_id);
  link.href = customerAddress(item.customer_id);
  link.title = item.customer_id;
  setText(bpm, String(item.heart_rate), { fade: same });
  if (status.firstElementChild.className !== `status status-${item.status}`) status.replaceChildren(statusMark(item.status));
  status.firstElementChild.title = item.anomaly_reason ?? "";
  trace.firstElementChild.firstElementChild.setAttribute("d", tracePath(item.trace));
  setText(readings, count(item.readings));
  setText(anomalies, count(item.anomalies));
  row.className = item.status === "silent" ? "silent" : "";
}

/** A small line: from left to right in time, with its holes, and at least 40 bpm high so that calm looks calm. */
function tracePath(trace) {
  if (trace.length < 2) return "";
  const times = trace.map(([ms]) => ms), rates = trace.map(([, bpm]) => bpm);
  const first = times[0], span = Math.max(1, times.at(-1) - first);
  const least = Math.min(...rates), greatest = Math.max(...rates);
  const height = Math.max(40, greatest - least), middle = (least + greatest) / 2;
  const longest = longestJoin(trace);
  return trace.map(([ms, bpm], index) => {
    const joined = index > 0 && ms - times[index - 1] <= longest;
    return `${joined ? "L" : "M"}${((ms - first) / span * 100).toFixed(1)},${(12 - (bpm - middle) / height * 20).toFixed(1)}`;
  }).join("");
}
