// @ts-check
// After an acknowledgement: for ten seconds it can be taken back, or get a note.

import { plain } from "./actor.js";
import { changeCustomer, undoAll } from "./changes.js";
import { element, setText } from "../lib/dom.js";
import { isolated } from "../lib/format.js";

const offered = 10_000; // ms
const whileWriting = 60_000; // ms that it stays for who writes a note

const text = element("span", { role: "status" });
const button = element("button", { type: "button", class: "button" }, "Undo");
const note = element("input", {
  id: "undo-note", maxlength: "200", placeholder: "Note", "aria-label": "Note", autocomplete: "off",
});
const form = element("form", { class: "undo-form" }, note,
  element("button", { type: "submit", class: "button quiet" }, "Add note"));
const bar = element("div", { id: "undo", class: "undo", hidden: true }, text, button, form);
document.body.append(bar);

/** @type {(() => void) | null} */
let undo = null;
/** @type {((said: string) => void) | null} */
let add = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let end;
button.addEventListener("click", () => undo?.());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const said = plain(note.value);
  if (said !== "") add?.(said);
});
note.addEventListener("input", () => {
  clearTimeout(end);
  end = setTimeout(hide, whileWriting);
});

/**
 * Offers to take acknowledgements back, and to say something about them.
 * @param {string} id the customer's
 * @param {API.Episode[]} done
 * @param {(episodes: API.Episode[]) => void} undone called with the episodes as they are when it is taken back
 * @param {(text: string) => void} failed
 */
export function offerUndo(id, done, undone, failed) {
  clearTimeout(end);
  setText(text, `Acknowledged ${isolated(id)} as ${done[0].acknowledged_by}.`);
  note.value = "";
  bar.hidden = false;
  end = setTimeout(hide, offered);
  undo = () => attempt("not undone", async () => {
    const episodes = await undoAll(done);
    if (episodes !== null) undone(episodes);
  });
  add = (said) => attempt("no note", async () => {
    await changeCustomer("note", { customer_id: id, note: said, episode_id: done[0].episode_id });
  });

  /**
   * @param {string} otherwise
   * @param {() => Promise<void>} action
   */
  async function attempt(otherwise, action) {
    hide();
    try {
      await action();
    } catch (failure) {
      failed(`${isolated(id)}: ${otherwise}: ${failure instanceof Error ? failure.message : failure}`);
    }
  }
}

function hide() {
  clearTimeout(end);
  bar.hidden = true;
  undo = add = null;
}
