// @ts-check
// The choice of a group, as far as there are any.

import { element, part } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { fetchJSON } from "../lib/request.js";

const refresh = 30_000; // ms between two looks at which groups there are

/** A list of groups, `#group`, which is hidden while there is none. */
export class GroupChoice {
  #select = part("group", HTMLSelectElement);
  #chosen;

  /**
   * @param {string} chosen a group's name, or "" for everybody
   * @param {(group: string) => void} change
   */
  constructor(chosen, change) {
    this.#chosen = chosen;
    this.#select.addEventListener("change", () => {
      this.#chosen = this.#select.value;
      change(this.#chosen);
    });
    this.#draw([]);
    this.#load();
    setInterval(() => { if (!document.hidden) this.#load(); }, refresh);
  }

  async #load() {
    try {
      this.#draw((await fetchJSON("/api/v1/groups", {})).items);
    } catch { /* What is shown stays. */ }
  }

  /** @param {API.Group[]} groups */
  #draw(groups) {
    const named = groups.some(({ name }) => name === this.#chosen) || this.#chosen === "" ? [] :
      [element("option", { value: this.#chosen }, this.#chosen)];
    this.#select.replaceChildren(element("option", { value: "" }, "all groups"), ...named,
      ...groups.map(({ name, customers }) => element("option", { value: name }, `${name} (${count(customers)})`)));
    this.#select.value = this.#chosen;
    this.#select.closest("label")?.toggleAttribute("hidden", groups.length === 0 && this.#chosen === "");
  }
}
