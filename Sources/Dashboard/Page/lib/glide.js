// @ts-check
// What comes and goes moves what stands below: that glides to its place, so that no eye and no finger loses it.

const time = 300; // ms

/** @type {WeakMap<Element, Animation>} */
const running = new WeakMap();

/**
 * Draws, and lets what has moved by that glide.
 * @param {string} blocks a selector of what stands one below the other
 * @param {string} rows a selector of what moves within the blocks
 * @param {() => void} draw
 */
export function glide(blocks, rows, draw) {
  // A browser that has scrolled keeps what is read in its place by itself.
  if (scrollY > 0 || matchMedia("(prefers-reduced-motion: reduce)").matches) return draw();
  const before = tops(blocks, rows);
  draw();
  for (const element of before.keys()) running.get(element)?.cancel();
  for (const [element, top] of tops(blocks, rows)) {
    const old = before.get(element);
    if (old === undefined || Math.abs(old - top) < 1) continue;
    running.set(element, element.animate([{ transform: `translateY(${old - top}px)` }, { transform: "none" }],
      { duration: time, easing: "ease-out" }));
  }
}

/**
 * Where everything is, in px: blocks on the screen, rows within their blocks.
 * @param {string} blocks
 * @param {string} rows
 * @returns {Map<Element, number>}
 */
function tops(blocks, rows) {
  /** @type {Map<Element, number>} */
  const found = new Map();
  for (const block of document.querySelectorAll(blocks)) {
    const { top, height } = block.getBoundingClientRect();
    if (height === 0) continue;
    found.set(block, top);
    for (const row of block.querySelectorAll(rows)) found.set(row, row.getBoundingClientRect().top - top);
  }
  return found;
}
