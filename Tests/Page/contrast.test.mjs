// What is drawn on a canvas has to be seen, too: axe does not look at it. Colours come from the style sheet.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const sheet = readFileSync(new URL("../../Sources/Dashboard/Page/style/base.css", import.meta.url), "utf8");
const [light, dark] = sheet.split("@media (prefers-color-scheme: dark)").slice(0, 2).map(colours);

function colours(text) {
  return new Map([...text.matchAll(/--([\w-]+): (#[\da-f]{6})/g)].map(([, name, hex]) => [name, hex]));
}

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** A colour upon another. */
const over = (hex, alpha, below) => channels(hex).map((part, index) => part * alpha + below[index] * (1 - alpha));

function luminance(parts) {
  const [r, g, b] = parts.map((part) => part / 255).map((part) =>
    (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

for (const [name, theme] of [["light", light], ["dark", new Map([...light, ...dark])]]) {
  const surface = channels(theme.get("surface"));
  const grounds = [
    ["the surface", surface], ["beyond a limit", over(theme.get("alarm-wash"), 0.55, surface)],
    ["a band", over(theme.get("soft"), 0.13, surface)], ["a red band", over(theme.get("alarm"), 0.13, surface)],
  ];
  test(`lines and limits are seen on every ground, ${name}`, () => {
    for (const line of ["line-1", "line-2", "line-3", "line-4", "line-5", "line-6", "limit"]) {
      for (const [where, ground] of grounds) {
        const found = contrast(channels(theme.get(line)), ground);
        assert.ok(found >= 3, `${line} on ${where}: ${found.toFixed(2)}`);
      }
    }
  });
  test(`the bars of activity are seen below a chart, ${name}`, () => {
    const found = contrast(channels(theme.get("accent")), surface);
    assert.ok(found >= 3, `accent: ${found.toFixed(2)}`);
  });
  test(`words on a canvas are read, ${name}`, () => {
    for (const word of ["soft", "ink", "alarm"]) {
      const found = contrast(channels(theme.get(word)), surface);
      assert.ok(found >= 4.5, `${word}: ${found.toFixed(2)}`);
    }
  });
}
