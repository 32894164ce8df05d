import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSkeleton, SpanFlags } from "../src/data/skeleton.ts";
import { makeSkeleton } from "./support/make-skeleton.ts";

const spans = [
  { id: "00000000000000a1", parent: -1, duration: 90, name: "root", service: "desk", type: "workflow" },
  {
    id: "ffffffffffffff02",
    parent: 0,
    start: 10.5,
    duration: 20,
    flags: SpanFlags.error | SpanFlags.remoteParent,
    kind: 2,
    agent: "ann",
  },
] as const;

test("columns are read as they were written: ids, parents, times, shapes, flags", () => {
  const answer = decodeSkeleton(makeSkeleton(spans));
  assert.ok(answer.ok);
  const { value } = answer;
  assert.equal(value.traceId, "ab".repeat(16));
  assert.equal(value.count, 2);
  assert.equal(value.startTime, 1_700_000_000_000);
  assert.deepEqual([0, 1].map(value.spanId), ["00000000000000a1", "ffffffffffffff02"]);
  assert.deepEqual([0, 1].map(value.parent), [-1, 0]);
  assert.deepEqual([value.start(1), value.duration(1)], [10.5, 20]);
  assert.equal(value.flags(1), SpanFlags.error | SpanFlags.remoteParent);
  assert.deepEqual(value.shape(1), { name: "span", service: "one", type: "", agent: "ann", kind: 2 });
});

test("spans are found by id, whatever their number", () => {
  const answer = decodeSkeleton(makeSkeleton(spans));
  assert.ok(answer.ok);
  assert.equal(answer.value.indexOf("ffffffffffffff02"), 1);
  assert.equal(answer.value.indexOf("0000000000000000"), -1);
});

test("a tick of a nanosecond or of a millisecond gives the same times", () => {
  for (const tick of [1, 1e6]) {
    const answer = decodeSkeleton(makeSkeleton([{ id: "01", parent: -1, start: 3, duration: 40 }], { tick }));
    assert.ok(answer.ok);
    assert.deepEqual([answer.value.start(0), answer.value.duration(0)], [3, 40]);
  }
});

test("an empty trace is a trace", () => {
  const answer = decodeSkeleton(makeSkeleton([]));
  assert.ok(answer.ok);
  assert.equal(answer.value.count, 0);
});

test("bytes that are no skeleton are a failure that says so, never a throw", () => {
  const good = makeSkeleton(spans);
  const wrongMagic = good.slice(0);
  new DataView(wrongMagic).setUint8(3, "2".charCodeAt(0));
  const hugeCount = good.slice(0);
  new DataView(hugeCount).setUint32(4, 0xffff_ffff, true);
  const brokenTail = good.slice(0);
  new DataView(brokenTail).setUint8(good.byteLength - 1, 0);
  for (const bytes of [
    new ArrayBuffer(0),
    good.slice(0, 31),
    good.slice(0, -1),
    wrongMagic,
    hugeCount,
    brokenTail,
  ]) {
    const answer = decodeSkeleton(bytes);
    assert.ok(!answer.ok);
    assert.equal(answer.failure.kind, "malformed");
  }
});
