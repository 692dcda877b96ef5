// @ts-check
// Episodes as a list. A row stays the same element while its episode is shown, so that the keyboard's focus and what a
// hand is about to press stay where they are.

import { acknowledgeAll } from "../care/changes.js";
import { offerUndo } from "../care/undo.js";
import { buttonOf, customerAddress, element, mark, setText } from "../lib/dom.js";
import { Answers, isNeeded, isUnseen, seenSeverity, shownSeverity } from "../lib/episode.js";
import { duration, isolated, timeText } from "../lib/format.js";

const severityNames = { high: "High", medium: "Medium", low: "Low" };
/** @type {Record<API.Episode["severity"], import("../lib/dom.js").Shape>} */
const shapes = { high: "alarm", medium: "caution", low: "quiet" };
const rest = 2000; // ms after a hand was here in which rows keep their places

/** @typedef {{node: HTMLElement, episode: API.Episode}} Row */

export class EpisodeList {
  #list;
  #failed;
  /** @type {Map<number, Row>} */
  #rows = new Map();
  #answers = new Answers();
  /** @type {Set<number>} */
  #pending = new Set();
  #moved = 0;
  #now = 0;

  /**
   * @param {HTMLElement} list
   * @param {(text: string) => void} failed called with why an acknowledgement failed, or with ""
   */
  constructor(list, failed) {
    this.#list = list;
    this.#failed = failed;
    for (const kind of ["pointermove", "pointerdown"]) {
      list.addEventListener(kind, () => { this.#moved = Date.now(); });
    }
    list.addEventListener("click", (event) => {
      const row = this.#rows.get(Number(buttonOf(event)?.closest("li")?.dataset.episode));
      if (row) this.#acknowledge(row);
    });
  }

  /**
   * Shows episodes in this order, at the time `now` (ms).
   * @param {API.Episode[]} episodes
   * @param {number} now
   */
  show(episodes, now) {
    this.#now = now;
    const wanted = new Map(episodes.map((episode) => [episode.episode_id, episode]));
    for (const [id, row] of this.#rows) row.episode = wanted.get(id) ?? row.episode;
    if (this.#rows.size === 0 || Date.now() - this.#moved > rest) this.#arrange(wanted);
    for (const row of this.#rows.values()) this.#draw(row);
  }

  /** @param {Map<number, API.Episode>} wanted */
  #arrange(wanted) {
    for (const [id, { node }] of this.#rows) {
      if (wanted.has(id)) continue;
      node.remove();
      this.#rows.delete(id);
    }
    const focused = document.activeElement;
    let place = this.#list.firstElementChild;
    for (const [id, episode] of wanted) {
      const row = this.#rows.get(id) ?? { node: makeRow(id), episode }, { node } = row;
      this.#rows.set(id, row);
      if (node === place) place = place.nextElementSibling;
      else this.#list.insertBefore(node, place);
    }
    // An element that is moved loses the focus.
    if (focused !== document.activeElement && focused instanceof HTMLElement && this.#list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {Row} row */
  #draw({ node, episode }) {
    const shown = this.#answers.latest(episode);
    const [severity, who, why, time, note] = /** @type {HTMLCollectionOf<HTMLElement>} */ (node.children);
    drawSeverity(node, severity, shown);
    drawWho(who, shown);
    setText(why, shown.reason);
    drawTime(time, shown, this.#now);
    drawNote(note, shown, this.#now);
  }

  /** @param {Row} row */
  async #acknowledge(row) {
    const { episode, node } = row, id = episode.episode_id;
    if (this.#pending.has(id)) return;
    this.#pending.add(id);
    try {
      const answers = await acknowledgeAll([{ episode, severity: seenSeverity(episode) }]);
      if (answers === null) return;
      const [answer] = answers;
      this.#answers.add(answer);
      this.#failed("");
      offerUndo(episode.customer_id, answers, (undone) => undone.forEach((each) => this.#answers.add(each)),
        this.#failed);
      this.#draw(row);
      // The button has been removed: the keyboard stays at this place, where a screen reader reads the outcome.
      const note = node.lastElementChild;
      if (document.activeElement === document.body && note instanceof HTMLElement) note.focus({ preventScroll: true });
    } catch (failure) {
      this.#failed(`Not acknowledged: ${failure instanceof Error ? failure.message : failure}`);
    } finally {
      this.#pending.delete(id);
    }
  }
}

/** @param {number} id */
function makeRow(id) {
  return element("li", { class: "episode", "data-episode": String(id) },
    element("span", { class: "episode-severity" }), element("span", { class: "episode-who" }),
    element("span", { class: "episode-why" }), element("span", { class: "episode-time" }),
    element("span", { class: "episode-note", tabindex: "-1" }));
}

/**
 * @param {HTMLElement} node
 * @param {Element} part
 * @param {API.Episode} episode
 */
function drawSeverity(node, part, episode) {
  const now = shownSeverity(episode), worst = episode.worst_severity;
  const kind = `episode episode-${now}${isNeeded(episode) ? " needed" : ""}`;
  if (node.className !== kind || part.children.length === 0) {
    node.className = kind;
    part.replaceChildren(mark(shapes[now]), element("span"));
  }
  setText(part.lastElementChild, worst === now ? severityNames[now] : `${severityNames[now]}, was ${worst}`);
}

/**
 * @param {Element} part
 * @param {API.Episode} episode
 */
function drawWho(part, { customer_id: id, kind }) {
  if (part.children.length === 0) {
    part.append(element("a", { class: "id", dir: "auto", href: customerAddress(id), title: id }, id), element("span"));
  }
  setText(part.lastElementChild, kind);
}

/**
 * @param {Element} part
 * @param {API.Episode} episode
 * @param {number} now
 */
function drawTime(part, { opened_at: opened, closed_at: closed }, now) {
  if (part.children.length === 0) part.append(element("time", { datetime: opened }), element("span"));
  const from = Date.parse(opened), until = closed === null ? now : Date.parse(closed);
  setText(part.firstElementChild, `${closed === null ? "since " : ""}${timeText(from, now)}`);
  setText(part.lastElementChild, closed === null ? duration(until - from) : `for ${duration(until - from)}`);
}

/**
 * @param {HTMLElement} part
 * @param {API.Episode} episode
 * @param {number} now
 */
function drawNote(part, episode, now) {
  const { kind, customer_id: id, acknowledged_at: at, acknowledged_by: by, acknowledged_note: said } = episode;
  const state = isUnseen(episode) ? "open" : at !== null ? "done" : "missed";
  if (part.dataset.state !== state) {
    part.dataset.state = state;
    const attributes = { type: "button", class: "button", "aria-label": `Acknowledge ${kind} of ${isolated(id)}` };
    part.replaceChildren(state === "open" ? element("button", attributes, "Acknowledge") : element("span"));
  }
  const note = said === null ? "" : ` “${said}”`;
  if (state === "done") setText(part.firstElementChild, `✓ ${by}, ${timeText(Date.parse(at ?? ""), now)}${note}`);
  if (state === "missed") setText(part.firstElementChild, "not acknowledged");
}
