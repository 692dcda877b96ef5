// @ts-check
// What an alarm sounds like, after the spirit of IEC 60601-1-8: the more urgent, the more pulses, and the faster.
// Nothing here makes a sound: a pattern is a list of notes, which any audio context can play.

/** A pattern's name: the severities, and `data` for data that are old.
 * @typedef {"high" | "medium" | "data"} Level */

/** A note: when it begins and how long it is, in seconds, and its pitch in Hz.
 * @typedef {{at: number, length: number, pitch: number}} Note */

const c = 523.25, e = 659.25, g = 784, a = 440, low = 349.23;

/** @type {Record<Level, {notes: Note[], every: number}>} `every` is in ms */
export const patterns = {
  // Ten pulses: three and two, and the same again.
  high: {
    every: 8000,
    notes: [0, 0.2, 0.4, 0.75, 0.95, 1.5, 1.7, 1.9, 2.25, 2.45].map((at, index) =>
      ({ at, length: 0.13, pitch: [c, e, g, g, c * 2][index % 5] })),
  },
  // Three slow pulses.
  medium: { every: 20_000, notes: [0, 0.4, 0.8].map((at) => ({ at, length: 0.22, pitch: e })) },
  // Two falling tones.
  data: { every: 15_000, notes: [{ at: 0, length: 0.35, pitch: a }, { at: 0.5, length: 0.5, pitch: low }] },
};

const edge = 0.02; // s in which a note swells and fades, so that it does not click
const overtones = [1, 0.5, 0.3, 0.2];

/**
 * Plays a pattern.
 * @param {BaseAudioContext} context
 * @param {AudioNode} target
 * @param {Level} level
 * @param {number} start in the context's seconds
 */
export function play(context, target, level, start) {
  for (const { at, length, pitch } of patterns[level].notes) {
    const gain = context.createGain(), from = start + at;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(1 / overtones.length, from + edge);
    gain.gain.setValueAtTime(1 / overtones.length, from + length - edge);
    gain.gain.linearRampToValueAtTime(0, from + length);
    gain.connect(target);
    overtones.forEach((strength, index) => {
      const tone = context.createOscillator(), part = context.createGain();
      tone.frequency.value = pitch * (index + 1);
      part.gain.value = strength;
      tone.connect(part).connect(gain);
      tone.start(from);
      tone.stop(from + length);
    });
  }
}
