"use strict";

const assert = require("assert");
const c = require("../interactive/curves.js");

const run = (seed, step, loss) => ({ seed, step, epoch: step, seconds: step.map(s => 2 * s), train_loss: loss });

// Medians and ranges over the runs at the steps that all have; time is the median too.
const runs = [run(1, [0, 10, 20], [1, 4, 9]), run(2, [0, 20], [3, 1]), run(3, [0, 10, 20], [2, 5, 2])];
assert.deepStrictEqual(c.curve(runs, "seconds", "train_loss"), [{ x: 0, y: 2, low: 1, high: 3 }, { x: 40, y: 2, low: 1, high: 9 }]);
assert.deepStrictEqual(c.curve([], "step", "train_loss"), []);
assert.deepStrictEqual(c.curve(runs, "step", "accuracy"), []);
assert.strictEqual(c.median([4, 1, 3, 2]), 2.5);

// A value that is not finite ends the curve.
assert.strictEqual(c.curve([run(1, [0, 1, 2], [1, null, 3])], "step", "train_loss").length, 1);

// Ticks lie within the bounds, at least two of them, in order, on both kinds of axes.
for (const [low, high] of [[0, 1], [0.2, 0.21], [1e-9, 3], [33, 35], [0.0123, 0.0124], [1, 1e30], [5, 60000]]) {
  for (const log of [false, true]) {
    if (log && low <= 0) continue;
    const all = c.ticks(low, high, log);
    assert.ok(all.length >= 2 && all.length <= 12, `${low} to ${high}: ${all}`);
    all.forEach((v, i) => assert.ok(v >= low - 1e-6 * (high - low) && v <= high + 1e-6 * (high - low) && (i === 0 || v > all[i - 1]), `${low} to ${high}: ${all}`));
  }
}
assert.deepStrictEqual(c.ticks(0, 100, false), [0, 20, 40, 60, 80, 100]);
assert.deepStrictEqual(c.ticks(0.01, 10, true), [0.01, 0.1, 1, 10]);
assert.deepStrictEqual([0, 0.5, 1e-4, 1200000, 20000].map(c.text), ["0", "0.5", "1e-4", "1.2e6", "20000"]);

// The curves of a view are those of its methods and seeds.
const data = [{ series: [{ label: "a", color: "#000000", runs }, { label: "b", color: "#ffffff", runs: [run(1, [0], [7])] }] }];
const view = { experiment: 0, axis: "step", quantity: "train_loss", seeds: new Set([1, 3]), labels: new Set(["a"]), each: false };
assert.deepStrictEqual(c.chosen(data, view).map(v => [v.label, v.points.length]), [["a", 3]]);
assert.deepStrictEqual(c.chosen(data, { ...view, each: true }).map(v => v.label), ["a, seed 1", "a, seed 3"]);
assert.deepStrictEqual(c.chosen(data, { ...view, labels: new Set(["b"]), seeds: new Set([2]) }), []);
assert.deepStrictEqual(c.seedsOf(data[0]), [1, 2, 3]);
assert.ok(c.has(data[0], "train_loss") && !c.has(data[0], "accuracy"));

// A picture draws within its frame, also where there is a single point, a value of 0 on a
// logarithmic axis or nothing at all.
for (const points of [[], [{ x: 1, y: 1, low: 1, high: 1 }], [{ x: 0, y: 0, low: 0, high: 0 }, { x: 5, y: 1, low: 0.5, high: 2 }]]) {
  for (const log of [true, false]) {
    const svg = c.picture(points.length ? [{ label: "<a>", color: "#123456", points }] : [], "step", "loss", log);
    assert.ok(!/NaN|Infinity|undefined|<a>/.test(svg), svg);
    assert.strictEqual(svg.includes("nothing to draw"), points.length === 0);
  }
}
assert.strictEqual(c.nearest([{ x: 1 }, { x: 4 }], 3).x, 4);
console.log("ok");
