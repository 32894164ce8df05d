import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../src/ui/format.ts";

const each = <T>(show: (value: T) => string, pairs: readonly (readonly [T, string])[]): void => {
  for (const [value, text] of pairs) assert.equal(show(value), text);
};

test("durations have three figures and the unit that fits", () => {
  each(format.formatDuration, [
    [0, "0 ms"],
    [Number.NaN, "0 ms"],
    [0.0004, "1 µs"],
    [0.812, "812 µs"],
    [0.9999, "1 ms"],
    [4.2, "4.2 ms"],
    [96.04, "96 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [1250, "1.25 s"],
    [59_990, "60 s"],
    [184_000, "3 m 04 s"],
    [7_500_000, "2 h 05 m"],
  ]);
});

test("ticks share the unit of their axis", () => {
  assert.deepEqual(
    [0, 500, 1000].map((ms) => format.formatTick(ms, 2400)),
    ["0", "0.5 s", "1 s"],
  );
  assert.equal(format.formatTick(0.2, 0.9), "200 µs");
  assert.equal(format.formatTick(120_000, 600_000), "2 m");
});

test("counts, costs and numbers of things read as people say them", () => {
  each(format.formatCount, [
    [0, "0"],
    [999, "999"],
    [1234, "1.2k"],
    [34_499, "34k"],
    [999_600, "1M"],
    [1_250_000, "1.3M"],
  ]);
  each(format.formatCost, [
    [null, "–"],
    [0, "$0"],
    [0.00001, "< $0.0001"],
    [0.0123, "$0.0123"],
    [12.5, "$12.50"],
  ]);
  assert.equal(format.formatNumberOf(1, "span"), "1 span");
  assert.equal(format.formatNumberOf(1200, "span"), "1,200 spans");
});

test("times are the reader's; the day stands there when it is not today's", () => {
  const time = new Date(2026, 10, 22, 9, 5, 7).getTime();
  assert.equal(format.formatTime(time, time + 1000), "09:05:07");
  assert.equal(format.formatTime(time, time + 86_400_000), "2026-11-22 09:05:07");
});

test("JSON is laid out, short JSON on one line, and what is not JSON stays as it is", () => {
  assert.equal(format.prettyJson('{"a":[1,2],"b":"x\\ny"}'), '{ "a": [ 1, 2 ], "b": "x\\ny" }');
  const long = { text: "a word and another ".repeat(5), number: 1 };
  assert.equal(format.prettyJson(JSON.stringify(long)), JSON.stringify(long, null, 2));
  assert.equal(format.prettyJson("{broken"), "{broken");
  assert.equal(format.prettyJson("12"), "12");
});
