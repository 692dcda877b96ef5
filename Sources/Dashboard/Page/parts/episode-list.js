// Episodes as a list. A row stays the same element as long as its episode is shown, so that neither the keyboard's focus
// nor what a hand is about to press goes astray.

import { acknowledge } from "./acknowledge.js";
import { customerAddress, element, mark, setText } from "../lib/dom.js";
import { duration, timeText } from "../lib/format.js";

export const severityNames = { high: "High", medium: "Medium", low: "Low" };
const shapes = { high: "alarm", medium: "caution", low: "quiet" };
const rest = 1500; // ms without a movement of the pointer over the list after which rows may change their places

/** Whether a person has to look at it now: the only thing that is red. */
export const isNeeded = ({ severity, closed_at: closed, acknowledged_at: seen }) => severity === "high" && closed === null && seen === null;

export class EpisodeList {
  #list;
  #failed;
  #rows = new Map();
  #acknowledged = new Map();
  #pending = new Set();
  #moved = 0;
  #now = 0;

  /** `failed` is called with what went wrong with an acknowledgement, or with "". */
  constructor(list, failed) {
    this.#list = list;
    this.#failed = failed;
    list.addEventListener("pointermove", () => { this.#moved = Date.now(); });
    list.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.#acknowledge(this.#rows.get(Number(button.closest("li").dataset.episode)));
    });
  }

  /** Shows episodes in this order, at the time `now` (ms). */
  show(episodes, now) {
    this.#now = now;
    const wanted = new Map(episodes.map((episode) => [episode.episode_id, episode]));
    for (const [id, row] of this.#rows) {
      row.episode = wanted.get(id) ?? row.episode;
      if (!wanted.has(id)) this.#acknowledged.delete(id);
    }
    if (this.#rows.size === 0 || Date.now() - this.#moved > rest) this.#arrange(wanted);
    for (const row of this.#rows.values()) this.#draw(row);
  }

  #arrange(wanted) {
    for (const [id, { node }] of this.#rows) {
      if (wanted.has(id)) continue;
      node.remove();
      this.#rows.delete(id);
    }
    const focused = document.activeElement;
    let place = this.#list.firstElementChild;
    for (const [id, episode] of wanted) {
      if (!this.#rows.has(id)) this.#rows.set(id, { node: makeRow(id), episode });
      const { node } = this.#rows.get(id);
      if (node === place) place = place.nextElementSibling;
      else this.#list.insertBefore(node, place);
    }
    // An element that is moved loses the focus.
    if (focused !== document.activeElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
  }

  #draw({ node, episode }) {
    // The answer to an acknowledgement is younger than the state that the stream brought last.
    const seen = episode.acknowledged_at === null ? this.#acknowledged.get(episode.episode_id) ?? episode : episode;
    const shown = { ...episode, acknowledged_at: seen.acknowledged_at, acknowledged_by: seen.acknowledged_by };
    const [severity, who, why, time, note] = node.children;
    drawSeverity(node, severity, shown);
    drawWho(who, shown);
    setText(why, shown.reason);
    drawTime(time, shown, this.#now);
    drawNote(note, shown, this.#now);
  }

  async #acknowledge(row) {
    const { episode, node } = row, id = episode.episode_id;
    if (this.#pending.has(id)) return;
    this.#pending.add(id);
    try {
      const answer = await acknowledge(episode);
      if (answer === null) return;
      this.#acknowledged.set(id, answer);
      this.#failed("");
      this.#draw(row);
      // The button is gone: whoever works by keyboard stays at this place and hears what has come of it.
      if (document.activeElement === document.body) node.lastElementChild.focus({ preventScroll: true });
    } catch (failure) {
      this.#failed(`Not acknowledged: ${failure.message}`);
    } finally {
      this.#pending.delete(id);
    }
  }
}

function makeRow(id) {
  return element("li", { class: "episode", "data-episode": String(id) },
    element("span", { class: "episode-severity" }), element("span", { class: "episode-who" }),
    element("span", { class: "episode-why" }), element("span", { class: "episode-time" }),
    element("span", { class: "episode-note", tabindex: "-1" }));
}

function drawSeverity(node, part, episode) {
  const { severity, worst_severity: worst, closed_at: closed } = episode;
  const now = closed === null ? severity : worst, kind = `episode episode-${now}${isNeeded(episode) ? " needed" : ""}`;
  if (node.className !== kind || part.children.length === 0) {
    node.className = kind;
    part.replaceChildren(mark(shapes[now]), element("span"));
  }
  setText(part.lastElementChild, worst === now ? severityNames[now] : `${severityNames[now]}, was ${worst}`);
}

function drawWho(part, { customer_id: id, kind }) {
  if (part.children.length === 0) part.append(element("a", { href: customerAddress(id), title: id }, id), element("span"));
  setText(part.lastElementChild, kind);
}

function drawTime(part, { opened_at: opened, closed_at: closed }, now) {
  if (part.children.length === 0) part.append(element("time", { datetime: opened }), element("span"));
  const from = Date.parse(opened), until = closed === null ? now : Date.parse(closed);
  setText(part.firstElementChild, `${closed === null ? "since " : ""}${timeText(from, now)}`);
  setText(part.lastElementChild, closed === null ? duration(until - from) : `for ${duration(until - from)}`);
}

function drawNote(part, { kind, customer_id: id, closed_at: closed, acknowledged_at: at, acknowledged_by: by }, now) {
  const state = at !== null ? "done" : closed === null ? "open" : "missed";
  if (part.dataset.state !== state) {
    part.dataset.state = state;
    part.replaceChildren(state === "open"
      ? element("button", { type: "button", class: "button", "aria-label": `Acknowledge ${kind} of ${id}` }, "Acknowledge")
      : element("span"));
  }
  if (state === "done") setText(part.firstElementChild, `✓ ${by}, ${timeText(Date.parse(at), now)}`);
  if (state === "missed") setText(part.firstElementChild, "not acknowledged");
}
