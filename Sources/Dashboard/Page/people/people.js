// @ts-check
// The list of people: one row for each customer with something open, or with an alarm that ended unseen. Who does
// not fit is a chip, and all are one press away.

import { showName } from "../care/actor.js";
import { acknowledgeAll } from "../care/changes.js";
import { offerUndo } from "../care/undo.js";
import { buttonOf, childCount, customerAddress, element, mark, part, setText } from "../lib/dom.js";
import { Answers, isNeeded, isUnseen, seenSeverity } from "../lib/episode.js";
import { count, duration, isolated, plural, timeText } from "../lib/format.js";
import { statusClass } from "../lib/status.js";
import { drawPerson, makePerson } from "./person-row.js";

const rest = 2000; // ms after a hand was here in which rows keep their places
const settled = 700; // ms that a row has to stand at its place before its button takes a press

/** @typedef {{node: HTMLElement, customer: API.Customer, moved: number}} Row */

const sections = /** @type {const} */ (["now", "eased", "watched"]);

export class People {
  #failed = (/** @type {string} */ text) => setText(part("people-error"), text);
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #answers = new Answers();
  /** @type {Set<string> | null} */
  #spoken = null;
  #busy = false;
  #touched = 0;
  #now = 0;
  /** @type {import("../lib/live.js").StateView | null} */
  #view = null;

  constructor() {
    showName(part("who-change", HTMLButtonElement));
    const list = part("people");
    for (const kind of ["pointermove", "pointerdown", "keydown"]) {
      list.addEventListener(kind, () => { this.#touched = Date.now(); });
    }
    list.addEventListener("click", (event) => {
      const button = buttonOf(event), row = this.#rows.get(button?.closest("li")?.dataset.customer ?? "");
      // A press by a key has no place on the screen, so that nothing can have slipped beneath it.
      if (row && (event.detail === 0 || Date.now() - row.moved > settled)) this.#acknowledge(row);
    });
  }

  /** @param {import("../lib/live.js").StateView} view */
  show(view) {
    this.#view = view;
    this.#draw();
  }

  #draw() {
    if (this.#view === null) return;
    const { state, now } = this.#view;
    this.#now = now;
    const people = state.people.listed.map((customer) =>
      ({ ...customer, episodes: customer.episodes.map((episode) => this.#answers.latest(episode)) }));
    const wanted = new Map(people.map((customer) => [customer.customer_id, customer]));
    for (const [id, row] of this.#rows) row.customer = wanted.get(id) ?? row.customer;
    if (this.#rows.size === 0 || Date.now() - this.#touched > rest) this.#arrange(wanted);
    for (const { node, customer } of this.#rows.values()) drawPerson(node, customer, now);
    this.#drawCounts(state);
    this.#drawMore(state);
    this.#speak(state, now);
  }

  /** @param {Map<string, API.Customer>} wanted */
  #arrange(wanted) {
    for (const [id, { node }] of this.#rows) {
      if (wanted.has(id)) continue;
      node.remove();
      this.#rows.delete(id);
    }
    const focused = document.activeElement;
    for (const section of sections) {
      const list = part(`people-${section}`);
      let place = list.firstElementChild;
      for (const [id, customer] of wanted) {
        if ((customer.section ?? "watched") !== section) continue;
        const row = this.#rows.get(id) ?? { node: makePerson(id), customer, moved: 0 }, { node } = row;
        this.#rows.set(id, row);
        if (node === place) {
          place = place.nextElementSibling;
          continue;
        }
        list.insertBefore(node, place);
        row.moved = Date.now();
      }
    }
    this.#noteMoves();
    // An element that is moved loses the focus.
    if (focused !== document.activeElement && focused instanceof HTMLElement && part("people").contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** A row below one that came or left has moved too. */
  #noteMoves() {
    for (const row of this.#rows.values()) {
      const top = String(Math.round(row.node.offsetTop));
      if (row.node.dataset.top !== top) row.moved = Date.now();
      row.node.dataset.top = top;
    }
  }

  /** @param {API.State} state */
  #drawCounts({ people: { counts, listed }, open_episodes: open, episodes: { last_closed_at: closed } }) {
    for (const section of sections) {
      const list = part(`people-${section}`), shown = list.children.length;
      part(`section-${section}`).hidden = shown === 0 && (section !== "now" || counts.now > 0);
      setText(part(`count-${section}`), plural(counts[section], "person", "people"));
    }
    part("people-calm").hidden = part("people-now").children.length > 0;
    setText(part("people-calm"), open === null ? "Loading…" : calmText(listed.length, closed, this.#now));
  }

  /** @param {API.State} state */
  #drawMore({ people: { counts, listed, more } }) {
    const all = counts.now + counts.eased + counts.watched;
    part("people-more").hidden = all === 0;
    const link = part("people-all", HTMLAnchorElement);
    setText(link, all > listed.length ? `All ${count(all)} as a table` : "As a table");
    part("chips").hidden = more.length === 0;
    const chips = childCount(part("chips"), more.length, () =>
      element("li", {}, element("a", { class: "chip" }, mark("quiet"), element("bdi"), element("b"))));
    more.forEach((person, index) => drawChip(/** @type {HTMLElement} */ (chips[index].firstElementChild), person));
  }

  /**
   * Says once that somebody needs help, when that is new. It is not said when the page opens: it can be read there.
   * @param {API.State} state
   * @param {number} now
   */
  #speak({ people: { listed, now: needed } }, now) {
    const high = listed.flatMap(({ episodes }) => episodes.filter(isNeeded));
    const key = (/** @type {API.Episode} */ { episode_id: id, alarmed_at: at }) => `${id} ${at}`;
    const fresh = high.filter((episode) => !this.#spoken?.has(key(episode)));
    const first = this.#spoken === null;
    this.#spoken = new Set(high.map(key));
    if (first || fresh.length === 0) return;
    const sentences = fresh.slice(0, 3).map(({ kind, customer_id: id, opened_at: at }) =>
      `High: ${kind}, ${isolated(id)}, since ${timeText(Date.parse(at), now)}.`);
    if (needed.high > high.length || fresh.length > 3) sentences.push(`${count(needed.high)} people need somebody.`);
    setText(part("people-spoken"), sentences.join(" "));
  }

  /** @param {Row} row */
  async #acknowledge({ customer, node }) {
    const unseen = customer.episodes.filter(isUnseen);
    if (this.#busy || unseen.length === 0) return;
    this.#busy = true;
    const hadFocus = node.contains(document.activeElement);
    try {
      const done = await acknowledgeAll(unseen.map((episode) => ({ episode, severity: seenSeverity(episode) })));
      if (done === null) return;
      this.#failed("");
      this.#touched = Date.now();
      for (const episode of done) this.#answers.add(episode);
      offerUndo(customer.customer_id, done, (undone) => undone.forEach((episode) => this.#answers.add(episode)),
        this.#failed);
      this.#draw();
      if (hadFocus || document.activeElement === document.body) this.#focusAfter(node);
    } catch (failure) {
      const why = failure instanceof Error ? failure.message : failure;
      this.#failed(`${isolated(customer.customer_id)} not acknowledged: ${why}`);
    } finally {
      this.#busy = false;
    }
  }

  /** The button is removed: the keyboard goes to the next one, or stays where a screen reader reads the outcome.
   * @param {HTMLElement} node */
  #focusAfter(node) {
    const buttons = [...part("people").querySelectorAll(".person-button")];
    const next = buttons.find((button) => node.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING);
    const target = next ?? buttons[0] ?? node.lastElementChild;
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  }
}

/**
 * @param {HTMLElement} chip
 * @param {API.Person} person
 */
function drawChip(chip, { customer_id: id, heart_rate: bpm, status, section }) {
  const kind = `chip chip-${statusClass(status)} section-${section ?? "none"}`;
  if (chip.className !== kind) chip.className = kind;
  chip.setAttribute("href", customerAddress(id));
  chip.title = `${id}: ${status}`;
  setText(chip.children[1], id);
  setText(chip.children[2], String(bpm));
}

/**
 * @param {number} others
 * @param {string | null} closed
 * @param {number} now
 */
function calmText(others, closed, now) {
  if (others > 0) return "Nobody needs somebody now.";
  if (closed === null) return "No episodes so far.";
  const at = Date.parse(closed);
  return `No open episodes. The last one closed at ${timeText(at, now)}, ${duration(now - at)} ago.`;
}
