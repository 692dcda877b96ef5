// @ts-check
// Acknowledging episodes, taking that back, and what else people do.

import { act } from "./actor.js";
import { post } from "../lib/request.js";

/**
 * Acknowledges episodes of one customer, each for the severity that was seen.
 * @param {{episode: API.Episode, severity: API.Episode["severity"]}[]} seen
 * @returns {Promise<API.Episode[] | null>} the episodes as they are now, or null when the viewer did not say who acts
 * @throws {import("../lib/request.js").RequestError}
 */
export async function acknowledgeAll(seen) {
  return act(({ by, password }) => Promise.all(seen.map(({ episode: { episode_id: id }, severity }) =>
    /** @type {Promise<API.Episode>} */ (post(`episodes/${id}/acknowledge`, { by, severity }, password)))));
}

/**
 * Takes acknowledgements of this viewer back.
 * @param {API.Episode[]} episodes
 * @returns {Promise<API.Episode[] | null>} the episodes as they are now
 * @throws {import("../lib/request.js").RequestError}
 */
export async function undoAll(episodes) {
  return act(({ password }) => Promise.all(episodes.map(({ episode_id: id, acknowledged_by: by }) =>
    /** @type {Promise<API.Episode>} */ (post(`episodes/${id}/undo`, { by }, password)))));
}

/**
 * Changes something of a customer.
 * @param {"limits" | "pause" | "groups" | "note"} what
 * @param {Record<string, unknown>} change
 * @returns {Promise<API.CustomerDetails | null>} the customer as it is now; null when the viewer did not say who acts
 * @throws {import("../lib/request.js").RequestError}
 */
export async function changeCustomer(what, change) {
  return act(({ by, password }) =>
    /** @type {Promise<API.CustomerDetails>} */ (post(`customer/${what}`, { by, ...change }, password)));
}

/**
 * Has a test message sent to a receiver of alarms.
 * @param {string} receiver
 * @returns {Promise<unknown>} null when the viewer did not say who acts
 * @throws {import("../lib/request.js").RequestError}
 */
export async function testReceiver(receiver) {
  return act(({ by, password }) => post("receivers/test", { by, receiver }, password));
}
