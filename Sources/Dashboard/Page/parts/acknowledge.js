// @ts-check
// Acknowledging an episode. The page asks for the name once; the browser remembers it.

import { element, setText } from "../lib/dom.js";
import { postOfEpisode } from "../lib/request.js";

const key = "acknowledges";
const most = 50; // characters of a name
let name = remembered();
let changed = () => {};

function remembered() {
  try { return localStorage.getItem(key); } catch { return null; }
}

const field = element("input", {
  id: "who-name", maxlength: String(most), required: true, autocomplete: "name", spellcheck: "false",
});
const dialog = element("dialog", { id: "who", "aria-labelledby": "who-title" }, element("form", {},
  element("h2", { id: "who-title" }, "Your name"),
  element("p", { class: "panel-note" },
    "It is shown with everything you acknowledge, and everyone can see it. This browser remembers it."),
  element("label", { for: "who-name" }, "Name"), field,
  element("div", { class: "dialog-buttons" }, element("button", { type: "button", class: "button quiet" }, "Cancel"),
    element("button", { type: "submit", class: "button strong" }, "Continue"))));
document.body.append(dialog);
dialog.querySelector("[type=button]")?.addEventListener("click", () => dialog.close(""));
dialog.querySelector("form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  // The interface takes no control characters and no blank at either end.
  dialog.close(field.value.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim());
});

/**
 * Asks for the name.
 * @returns {Promise<string | null>} null when it was not given
 */
function askName() {
  field.value = name ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  field.select();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    if (dialog.returnValue === "") return resolve(null);
    name = dialog.returnValue;
    try { localStorage.setItem(key, dialog.returnValue); } catch { /* Then it holds for this page. */ }
    changed();
    resolve(name);
  }, { once: true }));
}

/**
 * Acknowledges episodes of one customer, each for the severity that was seen.
 * @param {{episode: API.Episode, severity: API.Episode["severity"]}[]} seen
 * @returns {Promise<API.Episode[] | null>} the episodes as they are now, or null when the viewer gave no name
 * @throws {import("../lib/request.js").RequestError}
 */
export async function acknowledgeAll(seen) {
  const by = name ?? await askName();
  if (by === null) return null;
  return Promise.all(seen.map(({ episode, severity }) =>
    postOfEpisode(episode.episode_id, "acknowledge", { by, severity })));
}

/**
 * Takes acknowledgements of this viewer back.
 * @param {API.Episode[]} episodes
 * @throws {import("../lib/request.js").RequestError}
 */
export async function undoAll(episodes) {
  return Promise.all(episodes.map(({ episode_id: id, acknowledged_by: by }) =>
    postOfEpisode(id, "undo", { by: by ?? "" })));
}

/**
 * Makes a button say who acknowledges, and change that. It is hidden until somebody has given a name.
 * @param {HTMLButtonElement} button
 */
export function showName(button) {
  changed = () => {
    button.hidden = name === null;
    setText(button, `You are ${name}`);
  };
  button.title = "Change the name shown with what you acknowledge";
  button.addEventListener("click", askName);
  changed();
}
