// @ts-check
// Every customer: the shown page of the table is fetched again and again while the page is live.

import {
  buttonOf, childCount, customerAddress, element, part, press, setText, vector,
} from "../lib/dom.js";
import { age, count, minuteText, timeText } from "../lib/format.js";
import { glide } from "../lib/glide.js";
import { GroupChoice } from "./group-choice.js";
import { fetchJSON } from "../lib/request.js";
import { sparkline } from "../lib/sparkline.js";
import { arrow, showStatus, statusClass, statuses as statusWords } from "../lib/status.js";

const refresh = 2000; // ms between two requests for the shown rows

/** What is shown of whom.
 * @typedef {{search: string, group: string, status: string, section: string, sort: string, order: string,
 *   limit: number, offset: number}} Choice */

/** The table with its search, sorting, filter and pages. What is chosen is kept in the page's address. */
export class Customers {
  #part = {
    customers: part("customers", HTMLTableElement), search: part("search", HTMLInputElement),
    statuses: part("statuses"), section: part("section", HTMLSelectElement), range: part("range"),
    cut: part("customers-cut"),
    rows: part("rows", HTMLSelectElement),
    first: part("first", HTMLButtonElement), previous: part("previous", HTMLButtonElement),
    next: part("next", HTMLButtonElement), last: part("last", HTMLButtonElement),
  };
  #body = this.#part.customers.tBodies[0];
  #head = /** @type {HTMLTableSectionElement} */ (this.#part.customers.tHead);
  /** @type {Choice} */
  #ask;
  /** @type {API.Customers | null} */
  #answer = null;
  #asked = 0;
  #loading = false;
  #latest = 0;

  constructor() {
    const given = new URLSearchParams(location.search);
    this.#ask = {
      search: given.get("search") ?? "", group: given.get("group") ?? "", status: given.get("status") ?? "",
      section: given.get("section") ?? "", sort: given.get("sort") ?? "customer_id",
      order: given.get("order") ?? "asc", limit: Number(given.get("limit")) || 25,
      offset: Number(given.get("offset")) || 0,
    };
    this.#part.search.value = this.#ask.search;
    this.#part.rows.value = String(this.#ask.limit);
    this.#part.section.value = this.#ask.section;
    new GroupChoice(this.#ask.group, (group) => this.#change({ group, offset: 0 }));
    this.#listen();
    this.#markSorting();
  }

  /** Whether there was an answer. */
  get isShown() { return this.#answer !== null; }

  /**
   * Draws ages and filters, and fetches the rows again when it is time to.
   * @param {import("../lib/live.js").StateView} view
   */
  show({ state, current, now }) {
    this.#drawStatuses(state.status_counts);
    const due = Date.now() - this.#asked > refresh && !this.#loading;
    if (due && (current || this.#answer === null)) this.#load();
    // Ages keep running, also in rows that are no longer current.
    this.#drawAges(now);
  }

  #listen() {
    const { search, statuses, section, rows } = this.#part;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#change({ search: search.value.trim(), offset: 0 }), 150);
    });
    rows.addEventListener("change", () => this.#change({ limit: Number(rows.value), offset: 0 }));
    section.addEventListener("change", () => this.#change({ section: section.value, offset: 0 }));
    statuses.addEventListener("click", (event) => {
      const button = buttonOf(event);
      if (!button) return;
      press(statuses, button);
      this.#change({ status: button.dataset.status ?? "", offset: 0 });
    });
    this.#head.addEventListener("click", (event) => {
      const column = buttonOf(event)?.closest("th")?.dataset.sort;
      if (column) this.#change({ sort: column, order: this.#orderAfterClick(column), offset: 0 });
    });
    const move = (/** @type {() => number} */ offset) => () => this.#change({ offset: Math.max(0, offset()) });
    const lastOffset = () => {
      const last = Math.max(0, (this.#answer?.total ?? 1) - 1);
      return Math.floor(last / this.#ask.limit) * this.#ask.limit;
    };
    this.#part.first.addEventListener("click", move(() => 0));
    this.#part.previous.addEventListener("click", move(() => this.#ask.offset - this.#ask.limit));
    this.#part.next.addEventListener("click", move(() => Math.min(lastOffset(), this.#ask.offset + this.#ask.limit)));
    this.#part.last.addEventListener("click", move(lastOffset));
  }

  /**
   * A column's first order is the one that its reader wants: worst, most or latest first.
   * @param {string} column
   */
  #orderAfterClick(column) {
    if (column === this.#ask.sort) return this.#ask.order === "asc" ? "desc" : "asc";
    return ["customer_id", "status", "urgency"].includes(column) ? "asc" : "desc";
  }

  /** @param {Partial<Choice>} wanted */
  #change(wanted) {
    Object.assign(this.#ask, wanted);
    const address = new URLSearchParams();
    for (const [name, value] of Object.entries(this.#ask)) {
      if (value !== "" && value !== 0) address.set(name, String(value));
    }
    history.replaceState(null, "", `?${address}`);
    this.#markSorting();
    this.#load();
  }

  #markSorting() {
    for (const heading of /** @type {NodeListOf<HTMLElement>} */ (this.#head.querySelectorAll("th[data-sort]"))) {
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
      glide(() => this.#draw(answer));
    } catch (failure) {
      const words = failure instanceof Error ? failure.message : String(failure);
      if (turn === this.#latest && this.#answer === null) setText(this.#part.range, `No answer: ${words}`);
    } finally {
      if (turn === this.#latest) this.#loading = false;
    }
  }

  /** @param {API.Customers} answer */
  #draw({ items, total, as_of: answered, is_truncated: cut }) {
    const { offset, limit, search } = this.#ask;
    if (items.length === 0 && total > 0 && offset > 0) {
      return this.#change({ offset: Math.floor((total - 1) / limit) * limit });
    }
    const rows = childCount(this.#body, items.length, makeRow);
    items.forEach((item, index) => drawRow(/** @type {HTMLTableRowElement} */ (rows[index]), item));
    this.#drawAges(Date.parse(answered ?? "") || Date.now());
    setText(this.#part.range, total === 0 ? this.#emptyText() :
      `${count(offset + 1)}–${count(offset + items.length)} of ${count(total)}`);
    this.#part.cut.hidden = !cut;
    setText(this.#part.cut, search === "" ?
      `Only the first ${count(total)} by id are listed here. Search looks at every customer.` :
      `More customers match than the first ${count(total)}, which are listed here.`);
    this.#part.first.disabled = this.#part.previous.disabled = offset === 0;
    this.#part.next.disabled = this.#part.last.disabled = offset + limit >= total;
  }

  #emptyText() {
    const { search, group, status, section } = this.#ask;
    return search + group + status + section !== "" ? "No customer matches." : "No customer yet.";
  }

  /** @param {API.State["status_counts"]} counts */
  #drawStatuses(counts) {
    const all = Object.values(counts).reduce((sum, each) => sum + each, 0);
    const wanted = [
      { status: "", name: "all", number: all },
      ...statusWords.map((status) => ({ status, name: status, number: counts[status] })),
    ];
    const buttons = childCount(this.#part.statuses, wanted.length, () => element("button", { type: "button" }));
    wanted.forEach(({ status, name, number }, index) => {
      buttons[index].dataset.status = status;
      setText(buttons[index], `${name} ${count(number)}`);
    });
    press(this.#part.statuses, buttons[wanted.findIndex(({ status }) => status === this.#ask.status)]);
  }

  /** @param {number} now */
  #drawAges(now) {
    this.#answer?.items.forEach((item, index) => {
      const row = this.#body.rows[index];
      if (row) setText(row.cells[3], age(now - Date.parse(item.recorded_at)));
    });
  }
}

function makeRow() {
  const trace = vector("svg", {
    class: "trace", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true",
  });
  trace.append(vector("path", { "vector-effect": "non-scaling-stroke" }));
  return element("tr", {},
    element("th", { scope: "row", class: "name" }, element("a", { class: "id", dir: "auto" })),
    element("td", { class: "right bpm" }, element("span"), element("span", { class: "arrow" })),
    element("td"), element("td", { class: "right" }), element("td", { class: "wide" }, trace),
    element("td", { class: "right wider" }), element("td", { class: "right wider" }),
    element("td", { class: "wider open" }));
}

/**
 * @param {HTMLTableRowElement} row
 * @param {API.Customer} item
 */
function drawRow(row, item) {
  const [name, bpm, status, , trace, readings, anomalies, open] = row.cells;
  const link = /** @type {HTMLAnchorElement} */ (name.firstElementChild);
  setText(link, item.customer_id);
  link.href = customerAddress(item.customer_id);
  link.title = item.customer_id;
  setText(bpm.firstElementChild, String(item.heart_rate));
  setText(bpm.lastElementChild, arrow(item.direction));
  showStatus(status, item.status);
  trace.querySelector("path")?.setAttribute("d", sparkline(item.trend).path);
  setText(readings, count(item.readings));
  setText(anomalies, count(item.anomalies));
  const [episode] = item.episodes;
  const paused = item.paused_until === null ? "" : `paused until ${minuteText(Date.parse(item.paused_until))}`;
  setText(open, [paused, episode === undefined ? "" : openText(episode)].filter((text) => text !== "").join("; "));
  open.title = episode?.reason ?? "";
  row.className = `row-${statusClass(item.status)}${item.is_current ? "" : " not-now"}`;
}

/** @param {API.Episode} episode */
function openText({ kind, opened_at: opened, attention, acknowledged_by: by }) {
  const since = timeText(Date.parse(opened), Date.now());
  if (attention === "ended") return `${kind} ended, not seen`;
  return `${kind} since ${since}${attention === "seen" ? `, ✓ ${by}` : ""}`;
}
