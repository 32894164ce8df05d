import assert from "node:assert/strict";
import { test } from "node:test";
import { createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import fc from "fast-check";
import { LinkedContext } from "../src/context/linked-context.ts";

const keys = Array.from({ length: 5 }, (_, index) => createContextKey(`key ${index}`));

type Step = readonly [key: number, value: number | undefined];

const derive = (start: Context, steps: readonly Step[]): Context =>
  steps.reduce<Context>(
    (context, [key, value]) =>
      value === undefined ? context.deleteValue(keys[key]!) : context.setValue(keys[key]!, value),
    start,
  );

test("a linked context reads as the api's own does, however often it is derived", () => {
  const step = fc.tuple(fc.nat(4), fc.option(fc.nat(9), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.nat(4), (steps, first) => {
      const linked = derive(LinkedContext.over(ROOT_CONTEXT, keys[first]!, "first"), steps);
      const plain = derive(ROOT_CONTEXT.setValue(keys[first]!, "first"), steps);
      assert.deepEqual(
        keys.map((key) => linked.getValue(key)),
        keys.map((key) => plain.getValue(key)),
      );
    }),
  );
});

test("a linked context leaves the one it is derived from as it was", () => {
  const [a, b] = keys as [symbol, symbol];
  const first = LinkedContext.over(ROOT_CONTEXT.setValue(b, "outer"), a, 1);
  const second = first.setValue(a, 2).deleteValue(b);
  assert.deepEqual([first.getValue(a), first.getValue(b)], [1, "outer"]);
  assert.deepEqual([second.getValue(a), second.getValue(b)], [2, undefined]);
});
