// @ts-check
// Who acts: the page asks for a name once, and for the second password where the dashboard wants one. The browser
// remembers the name, the tab the password.

import { element, setText } from "../lib/dom.js";
import { fetchJSON, RequestError } from "../lib/request.js";

/** @typedef {{by: string, password: string | null}} Actor */

const nameKey = "acknowledges", passwordKey = "acting-password";
const most = 50; // characters of a name
/** @type {API.Viewer} */
let viewer = { user: null, needs_password: false };
let name = stored("localStorage", nameKey), password = stored("sessionStorage", passwordKey);
let changed = () => {};
const known = fetchJSON("/api/v1/viewer", {}).then((answer) => {
  viewer = answer;
  changed();
}).catch(() => { /* The dashboard says so when somebody acts. */ });

/**
 * @param {"localStorage" | "sessionStorage"} place
 * @param {string} key
 */
function stored(place, key) {
  try { return window[place].getItem(key); } catch { return null; }
}

/**
 * @param {"localStorage" | "sessionStorage"} place
 * @param {string} key
 * @param {string} value
 */
function store(place, key, value) {
  try { window[place].setItem(key, value); } catch { /* Then it holds for this page. */ }
}

const field = element("input", { id: "who-name", maxlength: String(most), autocomplete: "name", spellcheck: "false" });
const secret = element("input", { id: "who-password", type: "password", autocomplete: "off" });
const nameParts = element("div", { class: "dialog-field" }, element("p", { class: "panel-note" },
  "It is shown with everything you do, and everyone can see it. This browser remembers it."),
element("label", { for: "who-name" }, "Name"), field);
const secretParts = element("div", { class: "dialog-field" },
  element("p", { class: "panel-note" }, "Changes need a second password. This tab remembers it until it is closed."),
  element("label", { for: "who-password" }, "Password for changes"), secret);
const title = element("h2", { id: "who-title" }, "Your name");
const wrong = element("p", { class: "field-error", role: "alert" });
const dialog = element("dialog", { id: "who", "aria-labelledby": "who-title" }, element("form", {}, title, nameParts,
  secretParts, wrong,
  element("div", { class: "dialog-buttons" }, element("button", { type: "button", class: "button quiet" }, "Cancel"),
    element("button", { type: "submit", class: "button strong" }, "Continue"))));
document.body.append(dialog);
dialog.querySelector("[type=button]")?.addEventListener("click", () => dialog.close(""));
dialog.querySelector("form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  dialog.close("continue");
});

/** The interface takes no control characters and no blank at either end.
 * @param {string} text */
export function plain(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim();
}

/**
 * Asks for what is needed to act.
 * @param {string} why what was wrong with what is known, or ""
 * @returns {Promise<Actor | null>} null when it was not given
 */
function ask(why) {
  const { needs_password: needsPassword, user } = viewer;
  nameParts.hidden = user !== null;
  secretParts.hidden = !needsPassword;
  setText(title, needsPassword ? "Who acts" : "Your name");
  setText(wrong, why);
  [field.required, secret.required] = [user === null, needsPassword];
  [field.value, secret.value] = [name ?? "", ""];
  dialog.returnValue = "";
  dialog.showModal();
  if (user === null && (name === null || !needsPassword)) field.select();
  else secret.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    if (dialog.returnValue === "") return resolve(null);
    if (user === null) {
      name = plain(field.value);
      store("localStorage", nameKey, name);
    }
    if (needsPassword) {
      password = secret.value;
      store("sessionStorage", passwordKey, password);
    }
    changed();
    resolve(actor());
  }, { once: true }));
}

/** Who acts, as far as that is known.
 * @returns {Actor | null} */
function actor() {
  const by = viewer.user ?? name;
  if (by === null || by === "" || (viewer.needs_password && password === null)) return null;
  return { by, password: viewer.needs_password ? password : null };
}

/**
 * Does something as who acts here, and asks who that is when it is not known.
 * @template Answer
 * @param {(actor: Actor) => Promise<Answer>} send
 * @returns {Promise<Answer | null>} null when the viewer did not say who acts
 * @throws {RequestError}
 */
export async function act(send) {
  await known;
  let who = actor() ?? await ask("");
  while (who !== null) {
    try {
      return await send(who);
    } catch (failure) {
      if (!(failure instanceof RequestError && failure.status === 403 && viewer.needs_password)) throw failure;
      who = await ask(`Not done: ${failure.message}.`);
    }
  }
  return null;
}

/**
 * Makes a button say who acts, and change that. It is hidden until that is known.
 * @param {HTMLButtonElement} button
 */
export function showName(button) {
  changed = () => {
    const by = viewer.user ?? name;
    button.hidden = by === null;
    button.disabled = viewer.user !== null;
    setText(button, `You are ${by}`);
  };
  button.title = "Change the name shown with what you do";
  button.addEventListener("click", () => ask(""));
  changed();
}
