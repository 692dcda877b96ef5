// @ts-check
// Numbers, times and ages as text. Times are in the viewer's zone, or in UTC when asked.

let utc = remembered("zone") === "utc";
let formats = makeFormats();

/** @param {string} key */
function remembered(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

function makeFormats() {
  const zone = utc ? { timeZone: "UTC" } : {};
  /** @type {Intl.DateTimeFormatOptions} */
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...zone };
  /** @type {Intl.DateTimeFormatOptions} */
  const day = { month: "short", day: "numeric", ...zone };
  /** @type {Intl.DateTimeFormatOptions} */
  const year = { ...day, year: "numeric" };
  return {
    minute: new Intl.DateTimeFormat("en-GB", clock),
    second: new Intl.DateTimeFormat("en-GB", { ...clock, second: "2-digit" }),
    day: new Intl.DateTimeFormat("en-GB", day),
    yearAndSecond: new Intl.DateTimeFormat("en-GB", { ...year, ...clock, second: "2-digit" }),
    dayAndSecond: new Intl.DateTimeFormat("en-GB", { ...day, ...clock, second: "2-digit" }),
    date: new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", ...zone }),
  };
}

export const isUTC = () => utc;

/**
 * Shows all times in UTC, or in the viewer's zone again; the choice is remembered.
 * @param {boolean} on
 */
export function useUTC(on) {
  utc = on;
  formats = makeFormats();
  try { localStorage.setItem("zone", on ? "utc" : "local"); } catch { /* Then it holds for this page. */ }
}

/** The name of the zone that times are shown in. */
export function zoneName() {
  return utc ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * How far the shown zone is ahead of UTC at an instant, in ms.
 * @param {number} ms
 */
export function zoneOffset(ms) {
  return utc ? 0 : -new Date(ms).getTimezoneOffset() * 60_000;
}

export const minuteText = (/** @type {number} */ ms) => formats.minute.format(ms);
export const secondText = (/** @type {number} */ ms) => formats.second.format(ms);
export const dayText = (/** @type {number} */ ms) => formats.day.format(ms);

/**
 * An instant as the time of day, with the date when it is not on the same day as `now`.
 * @param {number} ms
 * @param {number} now
 */
export function timeText(ms, now) {
  const shown = formats.date.format(ms), today = formats.date.format(now);
  if (shown === today) return formats.second.format(ms);
  const isThisYear = shown.slice(0, -6) === today.slice(0, -6);
  return (isThisYear ? formats.dayAndSecond : formats.yearAndSecond).format(ms);
}

/**
 * An instant as a field of type datetime-local wants it, in the shown zone.
 * @param {number} ms
 */
export function fieldText(ms) {
  return new Date(ms + zoneOffset(ms)).toISOString().slice(0, 19);
}

/**
 * The instant that a field of type datetime-local means in the shown zone, in ms; NaN when it is none.
 * @param {string} text
 */
export function fieldTime(text) {
  return utc ? Date.parse(text + "Z") : Date.parse(text);
}

const whole = new Intl.NumberFormat("en");
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (/** @type {number} */ value) => whole.format(value);
export const rate = (/** @type {number} */ value) => (value < 100 ? tenth : whole).format(value);

/**
 * A fraction as a percentage, with more digits when it is small.
 * @param {number} fraction
 */
export function percent(fraction) {
  const digits = fraction > 0 && fraction < 0.001 ? 3 : 2;
  return (fraction * 100).toFixed(digits);
}

/**
 * A length of time in ms as text: "4 s", "12 min", "3 h 5 min", "2 d 4 h".
 * @param {number} ms
 */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 10 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A length of time in ms in its greatest unit alone: "4 s", "12 min", "3 h", "2 d". */
export const age = (/** @type {number} */ ms) => duration(ms).split(" ").slice(0, 2).join(" ");

/**
 * "1 message", "2 messages", "2 anomalies".
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/**
 * An id within a sentence: between U+2068 and U+2069, so that one which turns its letters around does not turn the rest.
 * @param {string} id
 */
export const isolated = (id) => `\u2068${id}\u2069`;
