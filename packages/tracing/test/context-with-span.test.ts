import assert from "node:assert/strict";
import { test } from "node:test";
import { createContextKey, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import fc from "fast-check";
import { contextWithSpan, contextWithValue } from "../src/context/context-with-span.ts";

const keys = ["a", "b"].map((name) => createContextKey(name));
const spans = ["1", "2"].map((digit) =>
  trace.wrapSpanContext({ traceId: digit.repeat(32), spanId: digit.repeat(16), traceFlags: 1 }),
);

type Step = (context: Context, ours: boolean) => Context;

const steps = fc.oneof(
  fc.nat(1).map((at): Step => {
    const span = spans[at] ?? assert.fail();
    return (context, ours) => (ours ? contextWithSpan(context, span) : trace.setSpan(context, span));
  }),
  fc.nat(1).map(
    (at): Step =>
      (context) =>
        trace.setSpan(context, spans[at] ?? assert.fail()),
  ),
  fc.constant<Step>((context) => trace.deleteSpan(context)),
  fc.tuple(fc.nat(1), fc.nat(9)).map(
    ([at, value]): Step =>
      (context) =>
        context.setValue(keys[at] ?? assert.fail(), value),
  ),
  fc.nat(1).map(
    (at): Step =>
      (context) =>
        context.deleteValue(keys[at] ?? assert.fail()),
  ),
);

test("A context with a span says what the api's own context would say, whatever is set and deleted", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 12 }), (all) => {
      let ours: Context = ROOT_CONTEXT;
      let theirs: Context = ROOT_CONTEXT;
      for (const step of all) {
        const before = trace.getSpan(ours);
        const next = step(ours, true);
        assert.equal(trace.getSpan(ours), before, "a context does not change");
        ours = next;
        theirs = step(theirs, false);
        assert.equal(trace.getSpan(ours), trace.getSpan(theirs));
        for (const key of keys) assert.equal(ours.getValue(key), theirs.getValue(key));
      }
    }),
  );
});

test("However deep spans are nested, a context asks no other but the one without a span", () => {
  const [span = assert.fail()] = spans;
  const [key = assert.fail()] = keys;
  let asked = 0;
  const base: Context = {
    getValue: () => {
      asked += 1;
      return undefined;
    },
    setValue: () => base,
    deleteValue: () => base,
  };
  let context = base;
  for (let depth = 0; depth < 100_000; depth += 1) context = contextWithSpan(context, span);
  assert.equal(context.getValue(key), undefined);
  assert.equal(asked, 1);
});

test("However deep spans and values are nested in turn, a look-up is short and finds the last of each", () => {
  const [span = assert.fail()] = spans;
  const [key = assert.fail(), other = assert.fail()] = keys;
  let context: Context = ROOT_CONTEXT.setValue(other, "outer");
  // A chain of that length would end the stack.
  for (let depth = 0; depth < 100_000; depth += 1) {
    context = contextWithValue(contextWithSpan(context, span), key, depth);
  }
  assert.deepEqual([context.getValue(key), context.getValue(other)], [99_999, "outer"]);
  assert.equal(trace.getSpan(context), span);
});
