// @ts-check
// What comes and goes moves what stands below: that glides to its place, so that no eye and no finger loses it.

const time = 300; // ms
/** What stands one below the other on a page, and what moves within that. */
const blocks = "main > *, .foot", rows = ".person, .people-head, #people-calm, #people-more, .episode, .pager";

/** @type {WeakMap<Element, Animation>} */
const running = new WeakMap();

/**
 * Draws, and lets what has moved by that glide.
 * @param {() => void} draw
 */
export function glide(draw) {
  // A browser that has scrolled keeps what is read in its place by itself.
  if (scrollY > 0 || matchMedia("(prefers-reduced-motion: reduce)").matches) return draw();
  const before = tops();
  draw();
  for (const element of before.keys()) running.get(element)?.cancel();
  for (const [element, top] of tops()) {
    const old = before.get(element);
    if (old === undefined || Math.abs(old - top) < 1) continue;
    running.set(element, element.animate([{ transform: `translateY(${old - top}px)` }, { transform: "none" }],
      { duration: time, easing: "ease-out" }));
  }
}

/**
 * Where everything is, in px: blocks on the screen, rows within their blocks.
 * @returns {Map<Element, number>}
 */
function tops() {
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
