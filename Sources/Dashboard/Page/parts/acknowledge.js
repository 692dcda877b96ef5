// Acknowledging an episode: who does it is asked once, and remembered in this browser.

import { element, setText } from "../lib/dom.js";
import { postJSON } from "./frame.js";

const key = "acknowledges";
const most = 50; // characters of a name
let name = remembered();
let changed = () => {};

function remembered() {
  try { return localStorage.getItem(key); } catch { return null; }
}

const field = element("input", { id: "who-name", maxlength: String(most), required: true, autocomplete: "name", spellcheck: "false" });
const dialog = element("dialog", { id: "who", "aria-labelledby": "who-title" }, element("form", {},
  element("h2", { id: "who-title" }, "Your name"),
  element("p", { class: "panel-note" }, "It stands beside what you acknowledge, for everybody. This browser remembers it."),
  element("label", { for: "who-name" }, "Name"), field,
  element("div", { class: "dialog-buttons" }, element("button", { type: "button", class: "button quiet" }, "Cancel"),
    element("button", { type: "submit", class: "button strong" }, "Continue"))));
document.body.append(dialog);
dialog.querySelector("[type=button]").addEventListener("click", () => dialog.close(""));
dialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  // The interface takes no control characters and no blank at either end.
  dialog.close(field.value.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim());
});

/** Asks for the name. Answers null when it was not given. */
function askName() {
  field.value = name ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  field.select();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    if (dialog.returnValue === "") return resolve(null);
    name = dialog.returnValue;
    try { localStorage.setItem(key, name); } catch { /* Then it holds for this page. */ }
    changed();
    resolve(name);
  }, { once: true }));
}

/** Acknowledges an episode. Answers it as it is now, or null when the viewer gave no name. Fails with the reason. */
export async function acknowledge(episode) {
  const by = name ?? await askName();
  if (by === null) return null;
  return postJSON(`/api/v1/episodes/${episode.episode_id}/acknowledge`, { by });
}

/** Makes a button say who acknowledges, and change that. It is hidden as long as nobody has. */
export function showName(button) {
  changed = () => {
    button.hidden = name === null;
    setText(button, `You are ${name}`);
  };
  button.title = "Change the name that you acknowledge with";
  button.addEventListener("click", askName);
  changed();
}
