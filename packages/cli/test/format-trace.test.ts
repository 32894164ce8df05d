import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { formatTrace } from "@weft/cli/internal";
import type { OtlpSpan } from "@weft/tracing/http";
import { deskTrace, deskTraceId } from "./support/desk-trace.ts";

const tree = `trace ${deskTraceId}  11 spans · 2 services · 1.50 s · 120 → 34 tokens · 1 failed
conversation user                                                 1.50 s  desk
└─ group chat desk ended by maxRound                              1.50 s  desk
   ├─ next speaker calculator by auto among calculator, writer     10 ms  desk
   ├─ remote agent calculator                                     880 ms  desk
   │  └─ call SendMessage ws                                      878 ms  desk
   │     └─ served SendMessage ws                                 860 ms  calculator
   │        └─ agent calculator                                   849 ms  calculator
   │           ├─ model small 120 → 34 tokens                     368 ms  calculator
   │           ├─ tool add {"a":2, "b":3} → 5                    5.00 ms  calculator
   │           └─ tool fail ✗ no [31msuch thing                  1.00 ms  calculator
   └─ agent writer [cancelled]                                    400 ms  desk`;

test("a trace reads as a tree of who did what, with tokens, time and service", () => {
  assert.equal(formatTrace(deskTrace), tree);
});

test("colours only add to the tree, and texts of a trace never steer the terminal", () => {
  const coloured = formatTrace(deskTrace, { colour: true });
  assert.notEqual(coloured, tree);
  assert.equal(stripVTControlCharacters(coloured), tree);
  assert.equal(formatTrace(deskTrace).includes("\u001b"), false);
});

test("orphans, circles, very deep traces and empty ones are shown, not choked on", () => {
  const span = (id: number, parent: number, name = `s${String(id)}`): OtlpSpan => ({
    traceId: deskTraceId,
    spanId: id.toString(16).padStart(16, "0"),
    parentSpanId: parent.toString(16).padStart(16, "0"),
    name,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "0",
  });
  const show = (spans: readonly OtlpSpan[]): string =>
    formatTrace({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  assert.match(
    show([span(1, 99)]),
    /0 roots · 1 without their parent\ns1 \[its parent is not stored\]\s+running/,
  );
  assert.equal(show([span(1, 2), span(2, 1), span(3, 3)]).split("\n").length, 4);
  const deep = Array.from({ length: 3000 }, (_, index) => span(index + 1, index, "x"));
  assert.equal(show(deep).split("\n").length, 3001);
  assert.equal(show([]), "an empty trace");
});
