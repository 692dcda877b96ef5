// @ts-check
// Heard without being looked at: sound, title, icon and notification follow from the state, on every page.

import { buttonOf, part, setText } from "../lib/dom.js";
import { duration, isolated } from "../lib/format.js";
import { Sound } from "./sound.js";
import { showTitle } from "./title.js";

/** @typedef {import("../lib/live.js").View} View
 * @typedef {import("./patterns.js").Level} Level */

export class Alarm {
  #sound = new Sound();
  #live;
  /** @type {number | null} */
  #heard = null;
  #isFirst = true;
  #parts = {
    toggle: part("sound", HTMLButtonElement), panel: part("sound-panel"), volume: part("volume", HTMLInputElement),
    mute: part("mute", HTMLButtonElement), notify: part("notify", HTMLButtonElement), blocked: part("sound-blocked"),
    off: part("sound-off", HTMLButtonElement),
  };

  /** @param {import("../lib/live.js").Live} live */
  constructor(live) {
    this.#live = live;
    const { toggle, panel, volume, mute, notify, off } = this.#parts;
    volume.value = String(this.#sound.volume);
    toggle.addEventListener("click", () => this.#toggle());
    off.addEventListener("click", () => this.#turn(false));
    volume.addEventListener("input", () => this.#sound.setVolume(Number(volume.value)));
    mute.addEventListener("click", () => {
      this.#sound.mute(this.#sound.mutedUntil === null);
      this.#draw();
    });
    notify.addEventListener("click", async () => {
      await Notification.requestPermission();
      this.#draw();
    });
    panel.addEventListener("click", (event) => {
      const level = buttonOf(event)?.dataset.test;
      if (level !== undefined) this.#sound.test(/** @type {Level} */ (level));
    });
    addEventListener("keydown", (event) => { if (event.key === "Escape") this.#open(false); });
    // Any press on the page lets the browser make the sound that was chosen before.
    addEventListener("pointerdown", () => this.#sound.unblock());
    addEventListener("keydown", () => this.#sound.unblock());
    this.#turn(this.#sound.isOn);
    this.#open(false);
  }

  /** @param {View} view */
  show(view) {
    const { state } = view, people = state === null ? null : state.people;
    const isOld = isBlind(view);
    showTitle(people, isOld);
    const isNew = this.#noteNew(people);
    this.#sound.tell(levelOf(people, isOld), isNew);
    if (isNew && people !== null) notifyOf(people);
    this.#draw();
  }

  /** Whether an alarm has been raised since the last look. What was there when the page opened is heard, not notified.
   * @param {API.State["people"] | null} people */
  #noteNew(people) {
    if (people === null) return false;
    const times = [people.latest_high_at, people.latest_medium_at].map((at) => Date.parse(at ?? "") || 0);
    const latest = Math.max(...times);
    const isNew = !this.#isFirst && latest > (this.#heard ?? 0);
    this.#heard = Math.max(this.#heard ?? 0, latest);
    this.#isFirst = false;
    return isNew;
  }

  async #toggle() {
    if (!this.#sound.isOn) {
      await this.#turn(true);
      this.#open(true);
    } else this.#open(this.#parts.panel.hidden);
  }

  /** @param {boolean} on */
  async #turn(on) {
    await this.#sound.turn(on);
    if (!on) this.#open(false);
    this.#draw();
  }

  /** @param {boolean} on */
  #open(on) {
    this.#parts.panel.hidden = !on;
    this.#parts.toggle.setAttribute("aria-expanded", String(on));
  }

  #draw() {
    const { toggle, mute, notify, blocked } = this.#parts, until = this.#sound.mutedUntil;
    const left = until === null ? 0 : Math.max(0, until - Date.now());
    const isBlocked = this.#sound.isBlocked;
    toggle.classList.toggle("strong", this.#sound.isOn && !isBlocked && until === null);
    setText(toggle, soundText(this.#sound.isOn, isBlocked, until === null ? null : left));
    blocked.hidden = !isBlocked;
    setText(mute, until === null ? "Mute for 2 min" : "Sound on again");
    const permission = typeof Notification === "undefined" ? "denied" : Notification.permission;
    notify.hidden = permission !== "default";
    this.#live.listen(this.#sound.isOn || permission === "granted");
  }
}

/**
 * @param {boolean} isOn
 * @param {boolean} isBlocked
 * @param {number | null} left ms that a mute lasts
 */
function soundText(isOn, isBlocked, left) {
  if (!isOn) return "Sound off";
  if (isBlocked) return "Sound blocked";
  return left === null ? "Sound on" : `Muted ${duration(left)}`;
}

/** Whether the page cannot see how people are.
 * @param {View} view */
function isBlind({ link, state }) {
  if (link === "cut") return true;
  return state !== null && (state.database.state !== "ready" || state.data.state === "stale");
}

/**
 * @param {API.State["people"] | null} people
 * @param {boolean} isOld
 * @returns {Level | null}
 */
function levelOf(people, isOld) {
  if (isOld) return "data";
  if (people === null || people.counts.now === 0) return null;
  return people.now.high > 0 ? "high" : "medium";
}

/** @param {API.State["people"]} people */
function notifyOf({ counts, now, listed: [first] }) {
  if (typeof Notification === "undefined" || Notification.permission !== "granted" || !document.hidden) return;
  if (now.high === 0 || first === undefined) return;
  const [episode] = first.episodes;
  const more = counts.now > 1 ? ` And ${counts.now - 1} more.` : "";
  const shown = new Notification(`High: ${isolated(first.customer_id)}`, {
    body: `${first.heart_rate} bpm, ${episode?.kind ?? ""}.${more}`, tag: "heartbeat", requireInteraction: true,
  });
  shown.addEventListener("click", () => {
    focus();
    shown.close();
  });
}
