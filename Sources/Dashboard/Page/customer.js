// @ts-check
// One customer: the latest reading, the history of a chosen time, its episodes and anomalies.

import { nameTitle } from "./alarm/title.js";
import { showName } from "./care/actor.js";
import { CarePanel } from "./care/panel.js";
import { letHandChoose } from "./chart/zoom.js";
import { part, setText } from "./lib/dom.js";
import { isolated } from "./lib/format.js";
import { fetchJSON, RequestError } from "./lib/request.js";
import { AnomalyPages } from "./parts/anomaly-pages.js";
import { EpisodeList } from "./parts/episode-list.js";
import { startFrame } from "./parts/frame.js";
import { History } from "./parts/history.js";
import { showIrregular, showLimits, showPerson, showProposal } from "./parts/person.js";
import { RangeChoice, showRangeError } from "./parts/range-choice.js";
import { TrendTable } from "./parts/trend-table.js";

const around = 120_000; // ms shown before and after an episode
const refresh = 2000; // ms between two requests while the shown time ends now

class CustomerPage {
  #id = new URLSearchParams(location.search).get("customer_id") ?? "";
  #range = new RangeChoice(() => this.#rangeChosen());
  #history = new History();
  #anomalies = new AnomalyPages();
  #trend = new TrendTable();
  #care = new CarePanel();
  #episodes = new EpisodeList(part("episodes"), (text) => setText(part("episodes-error"), text));
  /** @type {{customer: API.CustomerDetails, readings: API.Readings, episodes: API.Episode[],
   *   changes: API.EpisodeChange[]} | null} */
  #answers = null;
  /** @type {number | null} */
  #now = null;
  #asked = 0;
  #turn = 0;
  #choice = 0;
  #loading = false;
  #failed = false;
  #isUnknown = false;

  start() {
    setText(part("customer-id"), this.#id);
    nameTitle(`${isolated(this.#id)} · heartbeat`);
    startFrame((view) => this.#show(view));
    showName(part("who-change", HTMLButtonElement));
    part("more").addEventListener("click", () => this.#showEarlier());
    letHandChoose(part("plot"), {
      shown: () => this.#range.at(this.#time), timeAt: (x) => this.#history.timeAt(x),
      zoomTo: (range) => this.#range.zoomTo(range), back: () => this.#range.back(),
      press: (time) => this.#showEpisodeAt(time),
    });
  }

  /** Shows a whole episode, with two minutes around it.
   * @param {number} time */
  #showEpisodeAt(time) {
    const found = this.#answers?.episodes.find(({ opened_at: opened, closed_at: closed }) =>
      Date.parse(opened) <= time && time <= (closed === null ? this.#time : Date.parse(closed)));
    if (found === undefined) return;
    const until = found.closed_at === null ? this.#time : Date.parse(found.closed_at);
    this.#range.zoomTo({ from: Date.parse(found.opened_at) - around, until: until + around });
  }

  get #time() { return this.#now ?? Date.now(); }

  /** @param {import("./lib/live.js").View} view */
  #show(view) {
    this.#now = view.now;
    if (view.state === null) return;
    const every = this.#isUnknown ? 30 * refresh : this.#range.isShortAndLive ? refresh : 5 * refresh;
    const due = Date.now() - this.#asked > every;
    if ((view.current || this.#answers === null) && due && !this.#loading) this.#load();
    this.#draw();
  }

  #rangeChosen() {
    this.#choice += 1;
    this.#anomalies.reset();
    this.#load();
  }

  async #load() {
    this.#asked = Date.now();
    this.#loading = true;
    const mine = ++this.#turn;
    try {
      const answers = await this.#ask();
      const latest = await this.#anomalies.ask(answers.readings);
      if (mine !== this.#turn) return;
      this.#answers = answers;
      this.#showPanels();
      this.#anomalies.take(latest, answers.readings);
      this.#anomalies.show(this.#time);
      if (this.#failed) showRangeError("");
      this.#failed = false;
      this.#draw();
    } catch (failure) {
      if (mine === this.#turn) this.#fail(failure);
    } finally {
      if (mine === this.#turn) this.#loading = false;
    }
  }

  /** A customer who was unknown may have sent a first reading. */
  #showPanels() {
    document.body.classList.remove("no-answer");
    if (!this.#isUnknown) return;
    this.#isUnknown = false;
    part("now").replaceChildren();
    for (const panel of document.querySelectorAll(".panel")) panel.toggleAttribute("hidden", false);
  }

  async #ask() {
    const { from, until } = this.#range.at(this.#time);
    const whose = {
      customer_id: this.#id, from: new Date(from).toISOString(), until: new Date(until).toISOString(),
    };
    const [customer, readings, found, changed] = await Promise.all([
      fetchJSON("/api/v1/customer", { customer_id: this.#id }),
      fetchJSON("/api/v1/readings", { ...whose, buckets: 400 }),
      fetchJSON("/api/v1/episodes", { ...whose, limit: 200 }),
      fetchJSON("/api/v1/changes", whose),
    ]);
    return { customer, readings, episodes: found.items, changes: changed.items };
  }

  async #showEarlier() {
    if (this.#answers === null) return;
    const { readings } = this.#answers, mine = this.#choice;
    try {
      await this.#anomalies.addEarlier(readings, () => mine === this.#choice);
      this.#anomalies.show(this.#time);
    } catch (failure) {
      this.#fail(failure);
    }
  }

  /** @param {unknown} failure */
  #fail(failure) {
    if (failure instanceof RequestError && failure.status === 404) {
      this.#isUnknown = true;
      for (const panel of document.querySelectorAll(".panel")) panel.toggleAttribute("hidden", true);
      return setText(part("now"), "No customer has this id. Somebody new appears with the first reading.");
    }
    this.#failed = true;
    showRangeError(String(failure instanceof Error ? failure.message : failure));
  }

  #draw() {
    if (this.#answers === null) return;
    const { customer, readings, episodes } = this.#answers;
    showPerson(customer, this.#time);
    showLimits(customer, readings.limits);
    showProposal(customer);
    showIrregular(customer);
    this.#trend.show(customer, this.#time);
    this.#care.show(customer, readings.limits, this.#time);
    this.#episodes.show(episodes, this.#time);
    part("episodes-empty").hidden = episodes.length > 0;
    this.#history.show(this.#answers, this.#time);
    this.#range.fillFields(Date.parse(readings.from), Date.parse(readings.until));
  }
}

new CustomerPage().start();
