// @ts-check
// The wall: everybody as a tile at a place that stays; who needs somebody a second time beside them, as large as fits.

import { childCount, element, part, setText } from "./lib/dom.js";
import { capitalized } from "./lib/episode.js";
import { age, count, duration, minuteText, plural, secondText } from "./lib/format.js";
import { Live } from "./lib/live.js";
import { fetchJSON } from "./lib/request.js";
import { arrow, statusClass } from "./lib/status.js";

const most = 60; // tiles of a page
const turn = 12_000; // ms that a page stays
const refresh = 2000; // ms between two requests for the tiles
const mostNeeded = 6;

const given = new URLSearchParams(location.search);
const filter = given.get("filter") ?? "", group = given.get("group") ?? "";
const isFiltered = filter + group !== "";
/** @type {API.Customers | null} */
let answer = null;
/** Who needs somebody among those of the filter.
 * @type {API.Customers | null} */
let filtered = null;
let page = 0, turned = Date.now(), asked = 0, isAsking = false;

/** @param {import("./lib/live.js").View} view */
async function show(view) {
  drawFoot(view);
  part("wall").classList.toggle("not-current", !view.current || view.state?.data.state === "stale");
  if (view.state === null) return;
  drawNeeded(view.state, view.now);
  if (Date.now() - turned > turn) {
    turned = Date.now();
    page += 1;
    asked = 0;
  }
  drawTiles(view.now);
  if (!view.current || isAsking || Date.now() - asked < refresh) return;
  isAsking = true;
  asked = Date.now();
  try {
    const pages = Math.max(1, Math.ceil((answer?.total ?? 1) / most));
    const found = await fetchJSON("/api/v1/customers", {
      search: filter, group, limit: most, offset: page % pages * most,
    });
    filtered = !isFiltered ? null : await fetchJSON("/api/v1/customers", {
      search: filter, group, section: "now", sort: "urgency", limit: mostNeeded,
    });
    if (found.items.length === 0 && page > 0) page = 0;
    else answer = found;
    drawTiles(view.now);
  } catch {
    // The foot says since when nothing is heard.
  } finally {
    isAsking = false;
  }
}

/** @param {number} now */
function drawTiles(now) {
  if (answer === null) return;
  const { items, total } = answer, tiles = part("tiles");
  const { width, height } = tiles.getBoundingClientRect();
  tiles.style.setProperty("--columns", String(columns(Math.min(total, most), width, height)));
  const nodes = childCount(tiles, items.length, makeTile);
  items.forEach((customer, index) => drawTile(nodes[index], customer, now));
  const pages = Math.ceil(total / most);
  setText(part("wall-page"), pages > 1 ? `Page ${page % pages + 1} of ${pages}` : "");
}

/** How many columns make tiles the largest, in the shape of three digits.
 * @param {number} number
 * @param {number} width
 * @param {number} height */
function columns(number, width, height) {
  let best = 1, largest = 0;
  for (let tried = 1; tried <= number; tried += 1) {
    const size = Math.min(width / tried / 1.7, height / Math.ceil(number / tried));
    if (size > largest) [best, largest] = [tried, size];
  }
  return best;
}

/** Those in alarm are always in view, whatever page is shown.
 * @param {API.State} state
 * @param {number} now */
function drawNeeded({ people: { listed, counts } }, now) {
  const needed = filtered?.items ?? (isFiltered ? [] : listed.filter(({ section }) => section === "now"));
  const all = isFiltered ? filtered?.total ?? 0 : counts.now;
  const shown = needed.slice(0, mostNeeded), rest = all - shown.length;
  // As many as there are share the room, so another number has other sizes: then all are new, and none jumps.
  if (part("needed").children.length !== shown.length) part("needed").replaceChildren();
  const nodes = childCount(part("needed"), shown.length, makeTile);
  shown.forEach((customer, index) => drawTile(nodes[index], customer, now));
  setText(part("wall-counts"), all === 0 ? "Nobody needs somebody" :
    `${count(all)} ${all === 1 ? "needs" : "need"} somebody` +
    `${rest > 0 ? `, ${count(rest)} of them not on the left` : ""}`);
}

function makeTile() {
  return element("article", { class: "tile" },
    element("p", { class: "tile-id" }, element("bdi"), element("span", { "aria-hidden": "true" })),
    element("p", { class: "tile-rate" }, element("span"), element("small")), element("p", { class: "tile-text" }));
}

/**
 * @param {HTMLElement} tile
 * @param {API.Customer} customer
 * @param {number} now
 */
function drawTile(tile, customer, now) {
  const { customer_id: id, status, section, heart_rate: bpm, is_current: current, direction } = customer;
  const isTechnical = status === "no signal" || status === "not worn";
  const seen = section === "now" ? "" : section === "eased" ? " is-unseen" : section === "watched" ? " is-seen" : "";
  const kind = `tile tile-${statusClass(status)}${seen}`;
  if (tile.className !== kind) tile.className = kind;
  tile.dataset.status = status;
  const [head, rate, text] = tile.children;
  setText(head.children[0], id);
  setText(head.children[1], status === "high" ? "◆" : status === "medium" ? "▲" : status === "low" ? "▬" : "");
  const word = isTechnical ? status : "no signal";
  rate.className = current ? "tile-rate" : "tile-rate tile-word";
  setText(rate.children[0], current ? String(bpm) : word);
  setText(rate.children[1], arrow(direction));
  setText(text, tileText(customer, now));
}

/**
 * @param {API.Customer} customer
 * @param {number} now
 */
function tileText({ status, episodes: [first], heart_rate: bpm, recorded_at: at, paused_until: until }, now) {
  if (until !== null) return `paused until ${minuteText(Date.parse(until))}`;
  if (first === undefined) return "";
  const since = duration(now - Date.parse(first.opened_at));
  if (first.attention === "ended" || first.attention === "eased") return "was high, not seen";
  if (status === "no signal" || status === "not worn") return `last ${bpm}, ${age(now - Date.parse(at))} ago`;
  const who = first.attention === "seen" ? `, ✓ ${first.acknowledged_by}` : "";
  return `${capitalized(first.kind)}, ${since}${who}`;
}

/** @param {import("./lib/live.js").View} view */
function drawFoot({ state, link, heard, now }) {
  setText(part("wall-clock"), secondText(now));
  const live = part("wall-live");
  const [text, isAlarm] = liveText();
  live.className = isAlarm ? "alarm" : "";
  setText(live, text);

  /** @returns {[string, boolean]} */
  function liveText() {
    if (link === "cut") return [`⚠ Cut off since ${heard === null ? "the start" : secondText(heard)}`, true];
    if (state === null) return ["Connecting…", false];
    const { database, data, totals } = state, newest = Date.parse(data.since);
    const since = Date.parse(database.since);
    if (database.state !== "ready") return [`⚠ Database unreachable since ${secondText(since)}`, true];
    if (data.state === "waiting") return ["No reading so far", false];
    if (data.state === "stale") return [`⚠ No new reading since ${secondText(newest)}`, true];
    const everybody = isFiltered ? [group, filter, plural(answer?.total ?? 0, "customer")].filter(Boolean).join(", ") :
      plural(totals.customers, "customer");
    return [`● live · newest reading ${duration(now - newest)} old · ${everybody}`, false];
  }
}

/** The screen stays on as long as the wall is shown, where the browser can do that. */
async function stayAwake() {
  try {
    if (!document.hidden) await /** @type {any} */ (navigator).wakeLock?.request("screen");
  } catch { /* Then the screen is switched by its own settings. */ }
}

document.addEventListener("visibilitychange", stayAwake);
stayAwake();
new Live((view) => show(view)).start();
