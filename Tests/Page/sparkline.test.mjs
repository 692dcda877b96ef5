import assert from "node:assert/strict";
import { test } from "node:test";
import { sparkline } from "../../Sources/Dashboard/Page/lib/sparkline.js";

const empty = Array(30).fill(null);
const joints = ({ path }) => path.replace(/[^ML]/g, "");

test("a trend without a reading draws nothing", () => {
  assert.deepEqual(sparkline(empty), { path: "", limit: null, end: null });
});

test("a line ends where the last reading was, and has a hole where readings are missing", () => {
  const trend = empty.map((_, index) => (index < 10 || index > 20 && index < 25 ? 70 : null));
  assert.equal(joints(sparkline(trend)), "MLLLLLLLLLMLLL");
  assert.equal(sparkline(trend).end.x.toFixed(1), (24 / 29 * 100).toFixed(1));
});

test("sensors that send once a minute have a line too", () => {
  assert.equal(joints(sparkline(empty.map((_, index) => (index % 6 === 0 ? 70 : null)))), "MLLLL");
});

test("calm looks calm, and the limit is in the picture", () => {
  const heights = sparkline([...empty.slice(2), 70, 72]).path.match(/,[\d.]+/g).map((text) => Number(text.slice(1)));
  assert.ok(Math.abs(heights[0] - heights[1]) <= 1);
  const { limit, end } = sparkline([...empty.slice(1), 170], 130);
  assert.ok(limit > end.y && limit <= 24 && end.y >= 0);
  assert.equal(sparkline([...empty.slice(1), 170]).limit, null);
});
