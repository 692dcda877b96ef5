// @ts-check
// Small helpers around the document. Text from outside only ever becomes textContent or an attribute's value.

/**
 * The page's own element of this id.
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @param {new () => Kind} [kind] what it has to be
 * @returns {Kind}
 */
export function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof (kind ?? HTMLElement))) throw new Error(`the page has no #${id}`);
  return /** @type {Kind} */ (found);
}

/**
 * The button that an event happened on.
 * @param {Event} event
 */
export function buttonOf({ target }) {
  return target instanceof Element ? target.closest("button") : null;
}

/**
 * Makes an element. Attributes that are null or false are left out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | boolean | null>} [attributes]
 * @param {...(Node | string)} children
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/**
 * Sets an element's text when it differs.
 * @param {Element | null} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target !== null && target.textContent !== text) target.textContent = text;
}

// Each state has a shape of its own, so that colour alone never tells them apart.
const shapes = {
  good: "M6 1a5 5 0 1 1 0 10a5 5 0 1 1 0-10z",
  caution: "M6 .8 11.6 11H.4z",
  alarm: "M6 0 12 6 6 12 0 6z",
  quiet: "M6 1a5 5 0 1 1 0 10a5 5 0 1 1 0-10zm0 2a3 3 0 1 0 0 6a3 3 0 1 0 0-6z",
  info: "M6 0a6 6 0 1 1 0 12a6 6 0 1 1 0-12zm-1 5v4.5h2V5zm0-2.5v1.5h2V2.5z",
  notice: "M1 5h10v2.5H1z",
  broken: "M1 1.2 2.2 0 12 9.8 10.8 11zM10.8 1 12 2.2 2.2 12 1 10.8z",
};

/** @typedef {keyof typeof shapes} Shape */

/**
 * A small mark for a state.
 * @param {Shape} shape
 */
export function mark(shape) {
  const svg = vector("svg", { class: "mark", viewBox: "0 0 12 12", "aria-hidden": "true" });
  svg.append(vector("path", { d: shapes[shape] }));
  return svg;
}

/**
 * Makes an SVG element.
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
export function vector(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/**
 * Makes `parent` have `count` children, and returns them.
 * @param {Element} parent
 * @param {number} count
 * @param {() => HTMLElement} make
 */
export function childCount(parent, count, make) {
  while (parent.children.length > count) parent.lastElementChild?.remove();
  while (parent.children.length < count) parent.append(make());
  return /** @type {HTMLCollectionOf<HTMLElement>} */ (parent.children);
}

/**
 * A table for those who do not see a chart: a heading row, then rows of text.
 * @param {string} caption
 * @param {string[]} head
 * @param {(string | number)[][]} rows
 */
export function plainTable(caption, head, rows) {
  const table = element("table", { class: "table" }, element("caption", { class: "hidden" }, caption));
  table.append(element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))));
  const body = element("tbody");
  for (const row of rows) body.append(element("tr", {}, ...row.map((cell) => element("td", {}, String(cell)))));
  table.append(body);
  return table;
}

/**
 * Presses one button of a group and releases the others.
 * @param {Element} group
 * @param {Element | null} chosen
 */
export function press(group, chosen) {
  for (const button of group.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
}

/**
 * The link to a customer's own page.
 * @param {string} id
 */
export function customerAddress(id) {
  return `customer?customer_id=${encodeURIComponent(id)}`;
}
