// @ts-check
// What an episode means, without any drawing.

/** @typedef {API.Episode["attention"]} Attention */

/** Whether a person has to say that it is seen.
 * @param {API.Episode} episode */
export const isUnseen = ({ attention }) => ["new", "reminder", "eased", "ended"].includes(attention);

/** Whether a person has to look at it now: the only thing that is red.
 * @param {API.Episode} episode */
export function isNeeded({ severity, attention }) {
  return severity === "high" && (attention === "new" || attention === "reminder");
}

/** The severity that counts: now of an open one, at its worst of a closed one.
 * @param {API.Episode} episode */
export function shownSeverity({ severity, worst_severity: worst, closed_at: closed }) {
  return closed === null ? severity : worst;
}

/** The severity that somebody sees who looks at it now, and that an acknowledgement is given for.
 * @param {API.Episode} episode */
export const seenSeverity = ({ unseen_severity: unseen, severity }) => unseen ?? severity;

/** What an episode is called on a chart.
 * @param {API.Episode} episode */
export function bandText(episode) {
  return `${episode.kind}, ${shownSeverity(episode)}`;
}

/** A text with its first letter in upper case.
 * @param {string} text */
export const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The limit that a reason names, in bpm; NaN when it names none.
 * @param {string} reason */
export const limitOf = (reason) => Number(/, limit (\d+)/.exec(reason)?.[1] ?? NaN);

/**
 * The row of each label, so that none lies upon another; null for one that has no room in any row.
 * @param {{start: number, width: number}[]} labels from left to right, in px
 * @param {number} mostRows
 * @returns {(number | null)[]}
 */
export function labelRows(labels, mostRows) {
  /** @type {number[]} */
  const ends = [];
  return labels.map(({ start, width }) => {
    const free = ends.findIndex((end) => start > end);
    const row = free < 0 ? ends.length : free;
    if (row >= mostRows) return null;
    ends[row] = start + width + 8;
    return row;
  });
}

const younger = 4000; // ms for which an answer counts more than what the stream brings

/** Answers to what was done with episodes: for a moment they are younger than what the stream brought last. */
export class Answers {
  /** @type {Map<number, {episode: API.Episode, at: number}>} */
  #known = new Map();

  /** @param {API.Episode} episode */
  add(episode) {
    this.#known.set(episode.episode_id, { episode, at: Date.now() });
  }

  /** The younger of an episode and the answer about it. What got worse since counts more than any answer.
   * @param {API.Episode} episode
   * @returns {API.Episode} */
  latest(episode) {
    const answer = this.#known.get(episode.episode_id);
    if (answer === undefined) return episode;
    if (Date.now() - answer.at < younger && answer.episode.alarmed_at === episode.alarmed_at) return answer.episode;
    this.#known.delete(episode.episode_id);
    return episode;
  }
}
