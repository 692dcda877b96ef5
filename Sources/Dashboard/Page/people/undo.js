// @ts-check
// Taking an acknowledgement back, for ten seconds after it.

import { undoAll } from "../parts/acknowledge.js";
import { element, setText } from "../lib/dom.js";
import { isolated } from "../lib/format.js";

const offered = 10_000; // ms

const text = element("span", { role: "status" });
const button = element("button", { type: "button", class: "button" }, "Undo");
const bar = element("div", { id: "undo", class: "undo", hidden: true }, text, button);
document.body.append(bar);

/** @type {(() => void) | null} */
let undo = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let end;
button.addEventListener("click", () => undo?.());

/**
 * Offers to take acknowledgements back.
 * @param {string} id the customer's
 * @param {API.Episode[]} done
 * @param {(episodes: API.Episode[]) => void} undone called with the episodes as they are when it is taken back
 * @param {(text: string) => void} failed
 */
export function offerUndo(id, done, undone, failed) {
  clearTimeout(end);
  setText(text, `Acknowledged ${isolated(id)} as ${done[0].acknowledged_by}.`);
  bar.hidden = false;
  end = setTimeout(hide, offered);
  undo = async () => {
    hide();
    try {
      undone(await undoAll(done));
    } catch (failure) {
      failed(`${isolated(id)}: not undone: ${failure instanceof Error ? failure.message : failure}`);
    }
  };
}

function hide() {
  clearTimeout(end);
  bar.hidden = true;
  undo = null;
}
