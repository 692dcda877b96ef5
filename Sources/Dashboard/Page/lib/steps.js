// @ts-check
// How severe an episode was from when to when, without any drawing.

import { shownSeverity } from "./episode.js";

/** @typedef {{from: number, until: number, severity: API.Episode["severity"]}} Step */

/**
 * An episode's severity from its start until `until` (ms) or its end.
 * @param {API.Episode} episode
 * @param {API.EpisodeChange[]} changes of any episodes, oldest first
 * @param {number} until
 * @returns {Step[]}
 */
export function stepsOf(episode, changes, until) {
  const end = episode.closed_at === null ? until : Date.parse(episode.closed_at);
  const own = changes.filter(({ episode_id: id, change }) => id === episode.episode_id && change !== "closed");
  /** @type {Step[]} */
  const steps = [];
  for (const { changed_at: at, severity } of own) {
    const last = steps.at(-1), time = Math.min(Date.parse(at), end);
    if (last?.severity === severity) continue;
    if (last !== undefined) last.until = time;
    // What was known first holds from the start on.
    steps.push({ from: last === undefined ? Date.parse(episode.opened_at) : time, until: end, severity });
  }
  if (steps.length > 0) return steps;
  return [{ from: Date.parse(episode.opened_at), until: end, severity: shownSeverity(episode) }];
}
