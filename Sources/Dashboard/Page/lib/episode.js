// @ts-check
// What an episode means, without any drawing.

/** Whether a person has to look at it now: the only thing that is red.
 * @param {API.Episode} episode */
export function isNeeded({ severity, closed_at: closed, acknowledged_at: seen }) {
  return severity === "high" && closed === null && seen === null;
}

/** The severity that counts: now of an open one, at its worst of a closed one.
 * @param {API.Episode} episode */
export function shownSeverity({ severity, worst_severity: worst, closed_at: closed }) {
  return closed === null ? severity : worst;
}

/** Whether there is no heart rate while it is open.
 * @param {API.Episode} episode */
export function isWithoutRate({ kind }) {
  return kind === "signal loss" || kind === "0 bpm reported" || kind === "not worn";
}

/** What an episode is called on a chart.
 * @param {API.Episode} episode */
export function bandText(episode) {
  return `${episode.kind}, ${shownSeverity(episode)}`;
}

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
