import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { assignHues, hueAt } from "../src/trace/service-hues.ts";
import { barOf, createTimeScale } from "../src/trace/time-scale.ts";
import { movedBy, rowsPerPage, scrollToRow, windowRows } from "../src/ui/windowing.ts";
import { contrast, oklchToLinear } from "./support/contrast.ts";

test("ticks are round, start at 0 and stay within the trace", () => {
  assert.deepEqual(createTimeScale(8120).ticks, [0, 2000, 4000, 6000, 8000]);
  assert.deepEqual(createTimeScale(1).ticks, [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(createTimeScale(100, 3).ticks, [0, 50, 100]);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (duration) => {
      const { ticks } = createTimeScale(duration);
      assert.ok(ticks.length >= 2 && ticks.length <= 8, `${ticks.length} ticks for ${duration}`);
      assert.ok(ticks[0] === 0 && (ticks.at(-1) ?? 0) <= duration * 1.000001);
    }),
  );
});

test("a trace of no duration still has a line to stand on", () => {
  for (const duration of [0, Number.NaN, -1]) assert.equal(createTimeScale(duration).durationMs, 1);
});

test("bars are shares of the line; an open span reaches its end; skew never leaves it", () => {
  const scale = createTimeScale(200);
  assert.deepEqual(barOf(scale, 50, 100, false), { left: 0.25, width: 0.5 });
  assert.deepEqual(barOf(scale, 50, 0, true), { left: 0.25, width: 0.75 });
  assert.deepEqual(barOf(scale, -30, 1000, false), { left: 0, width: 1 });
});

test("the window holds every row in sight, few others, and none beyond the last", () => {
  const measures = fc.record({
    scrollTop: fc.nat(4_000_000),
    viewHeight: fc.integer({ min: 1, max: 2000 }),
    rowHeight: fc.integer({ min: 20, max: 120 }),
    count: fc.nat(120_000),
  });
  fc.assert(
    fc.property(measures, (measure) => {
      const { from, to } = windowRows(measure);
      assert.ok(from >= 0 && from <= to && to <= measure.count);
      const first = Math.floor(measure.scrollTop / measure.rowHeight);
      const last = Math.ceil((measure.scrollTop + measure.viewHeight) / measure.rowHeight);
      if (first < measure.count) assert.ok(from <= first && to >= Math.min(measure.count, last));
      assert.ok(to - from <= last - first + 32);
    }),
  );
});

test("small scrolls change nothing: rows come in blocks", () => {
  const at = (scrollTop: number) => windowRows({ scrollTop, viewHeight: 600, rowHeight: 30, count: 1000 });
  assert.deepEqual(at(3030), at(3110));
});

test("a row is brought into sight with the least movement, and not at all when it is there", () => {
  const measure = { scrollTop: 300, viewHeight: 300, rowHeight: 30, count: 100 };
  assert.equal(scrollToRow(measure, 15), 300);
  assert.equal(scrollToRow(measure, 5), 120);
  assert.equal(scrollToRow(measure, 40), 960);
  assert.equal(scrollToRow(measure, 99), 2700);
  assert.equal(scrollToRow(measure, 0), 0);
  assert.equal(rowsPerPage(300, 30), 9);
  assert.equal(rowsPerPage(10, 30), 1);
});

test("the row at the top is found again where rows above it came or left", () => {
  const keys = ["a", "b", "c", "d", "e"];
  const moved = (row: number, key: string) => movedBy({ row, key }, keys.length, (at) => keys[at] ?? "");
  assert.deepEqual(
    [moved(2, "c"), moved(1, "d"), moved(4, "a"), moved(2, "gone"), moved(40, "e")],
    [0, 2, -4, 0, -36],
  );
});

test("hues depend on which services there are, not on the order they are told in", () => {
  const one = assignHues(["planner", "desk", "checker"]);
  assert.deepEqual(one, assignHues(["checker", "planner", "desk", "desk"]));
  assert.equal(new Set(one.values()).size, 3);
});

test("twelve services get hues at least 15 degrees apart, the first four at least 65", () => {
  const apart = (count: number): number => {
    const sorted = Array.from({ length: count }, (_, order) => hueAt(order)).sort((a, b) => a - b);
    return Math.min(...sorted.map((hue, index) => ((sorted[(index + 1) % count] ?? 0) - hue + 360) % 360));
  };
  assert.ok(apart(12) >= 15, String(apart(12)));
  assert.ok(apart(4) >= 65, String(apart(4)));
});

test("in both themes every hue is readable as words and seen as a bar", () => {
  const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");
  const color = (name: string, theme: 0 | 1, hue: number) => {
    const pair = new RegExp(`--${name}: light-dark\\(oklch\\(([^)]*)\\)?(?:\\))?, oklch\\(([^)]*)`).exec(
      css.replaceAll("var(--hue)", String(hue)),
    );
    assert.ok(pair !== null, name);
    const [lightness = 0, chroma = 0, angle = 0] = (pair[theme + 1] ?? "").split(" ").map(Number);
    return oklchToLinear(lightness, chroma, angle);
  };
  for (const theme of [0, 1] as const) {
    for (let order = 0; order < 12; order++) {
      const hue = hueAt(order);
      const at = (name: string) => color(name, theme, hue);
      for (const ground of ["surface", "bg", "raised", "accent-soft", "tone-soft"]) {
        const ratio = contrast(at("tone-text"), at(ground));
        assert.ok(ratio >= 4.5, `words of hue ${hue} on ${ground}, theme ${theme}: ${ratio.toFixed(2)}`);
      }
      const bar = contrast(at("tone-fill"), at("surface"));
      assert.ok(bar >= 3, `bar of hue ${hue}, theme ${theme}: ${bar.toFixed(2)}`);
    }
  }
});
