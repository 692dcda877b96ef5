import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { longestJoin } from "../../Sources/Dashboard/Page/chart/holes.js";
import { Series, summary } from "../../Sources/Dashboard/Page/lib/series.js";

const realFetch = globalThis.fetch;
afterEach(() => { globalThis.fetch = realFetch; });

/** Points by customer, as the API lists them. */
const list = (points) => Object.entries(points).map(([customer_id, each]) => ({ customer_id, points: each }));

/** Answers /api/v1/chart, and counts how often it was asked for. */
function chart(bucketSeconds, lines) {
  const asked = [];
  globalThis.fetch = async (address) => {
    asked.push(address);
    const series = list(structuredClone(lines));
    return { ok: true, json: async () => ({ bucket_seconds: bucketSeconds, series }) };
  };
  return asked;
}

test("the readings are fetched once, then kept up to date from the stream, each once and in order", async () => {
  const asked = chart(0, { a: [[1000, 60, 0], [3000, 62, 0]], b: [] });
  const series = new Series();
  const state = { most_active: ["a", "b"] };
  await series.take(state, []);
  await series.take(state, list({ a: [[3000, 62, 0], [2000, 61, 0], [4000, 63, 1]], b: [[4000, 80, 0]] }));
  assert.deepEqual(asked, ["./api/v1/chart?minutes=5"]);
  const [a, b] = series.within(4000);
  assert.deepEqual(a.points.map(([ms]) => ms), [1000, 2000, 3000, 4000]);
  assert.deepEqual(a.latest, { x: 4000, y: 63 });
  assert.deepEqual(b.points, [[4000, 80, 0]]);
});

test("what is older than the chosen time is dropped", async () => {
  chart(0, { a: [[0, 60, 0], [60_000, 61, 0], [120_000, 62, 0]] });
  const series = new Series();
  series.reset(1);
  await series.take({ most_active: ["a"] }, []);
  assert.deepEqual(series.within(121_000)[0].points.map(([ms]) => ms), [120_000]);
});

test("a reading widens its bucket, and a repeated one changes nothing", async () => {
  chart(5, { a: [[10_000, 60, 70, 0, 65]] });
  const series = new Series();
  await series.take({ most_active: ["a"] }, []);
  for (let turn = 0; turn < 2; turn += 1) {
    await series.take({ most_active: ["a"] }, list({ a: [[12_000, 190, 1], [14_999, 50, 0], [15_000, 65, 0]] }));
  }
  assert.deepEqual(series.within(15_000)[0].points, [[10_000, 50, 190, 1, 65], [15_000, 65, 65, 0, 65]]);
});

test("a customer's name may be that of a property of every object", async () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    chart(0, {});
    const series = new Series();
    await series.take({ most_active: ["bob", name] }, [{ customer_id: "bob", points: [[1000, 71, 0]] }]);
    await series.take({ most_active: ["bob", name] }, [{ customer_id: name, points: [[2000, 72, 0]] }]);
    const counts = series.within(2000).map((each) => [each.name, each.points.length]);
    assert.deepEqual(counts, [["bob", 1], [name, 1]]);
  }
});

test("a customer who stays among the most active keeps the colour", async () => {
  chart(0, {});
  const series = new Series();
  const slots = async (names) => {
    await series.take({ most_active: names }, []);
    return Object.fromEntries(series.within(0).map(({ name, slot }) => [name, slot]));
  };
  assert.deepEqual(await slots(["a", "b", "c"]), { a: 0, b: 1, c: 2 });
  assert.deepEqual(await slots(["c", "d", "a"]), { c: 2, d: 1, a: 0 });
});

test("a line in figures", () => {
  const line = (points) => ({ name: "a", slot: 0, points, latest: null });
  assert.equal(summary(line([]), 0), null);
  assert.deepEqual(summary(line([[0, 60, 1], [1, 55, 0], [2, 58, 0]]), 0),
    { name: "a", last: 58, lowest: 55, highest: 60, anomalies: 1 });
  assert.deepEqual(summary(line([[0, 50, 90, 2], [5000, 60, 80, 1]]), 5),
    { name: "a", last: 80, lowest: 50, highest: 90, anomalies: 3 });
});

test("a line joins readings up to three times their usual step, and at least 5 s", () => {
  assert.equal(longestJoin([]), 5000);
  assert.equal(longestJoin([[0], [1000], [2000]]), 5000);
  assert.equal(longestJoin([[0], [10_000], [20_000], [90_000]]), 30_000);
});
