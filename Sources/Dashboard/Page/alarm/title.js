// @ts-check
// Who needs somebody, in the tab's title and on its icon: seen without the page being looked at.

import { isolated } from "../lib/format.js";

const base = document.title;
const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon]"));
const calmIcon = icon?.href ?? "";
let own = base;

/** Names the page, as for the customer whom it shows.
 * @param {string} title */
export function nameTitle(title) {
  own = title;
}

/**
 * @param {API.State["people"] | null} people
 * @param {boolean} isOld whether what the page shows is old
 */
export function showTitle(people, isOld) {
  const text = `${isOld ? "⚠ " : ""}${alarmText(people)}${own}`;
  if (document.title !== text) document.title = text;
  const number = people?.counts.now ?? 0;
  const href = number > 0 || isOld ? badge(number, isOld || people?.now.high === 0 ? "#9a6200" : "#b3201c") : calmIcon;
  if (icon !== null && icon.href !== href) icon.href = href;
}

/** @param {API.State["people"] | null} people */
function alarmText(people) {
  if (people === null || people.counts.now === 0) return "";
  const [first] = people.listed, word = people.now.high > 0 ? "High" : "Medium";
  return `(${people.counts.now}) ${word}: ${isolated(first?.customer_id ?? "")} · `;
}

/**
 * @param {number} number
 * @param {string} colour
 */
function badge(number, colour) {
  const text = number === 0 ? "!" : number > 99 ? "99" : String(number);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">` +
    `<circle cx="16" cy="16" r="16" fill="${colour}"/>` +
    `<text x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" fill="#fff" text-anchor="middle">` +
    `${text}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
