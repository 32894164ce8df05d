import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  bindContext,
  disableTracing,
  enableTracing,
  extract,
  getCurrentActiveSpan,
  getLastActiveTraceId,
  inject,
  propagateAttributes,
  SpanType,
  startSpan,
  trace,
  updateCurrentTrace,
  withContext,
  withSpan,
} from "../src/index.ts";
import { captureSpans } from "../src/internal.ts";

test("withSpan gives back what its function gives: a value, a promise, an error", async () => {
  using capture = captureSpans();
  assert.equal(
    withSpan("sync", () => 1),
    1,
  );
  assert.equal(await withSpan({ name: "async", spanType: SpanType.CHAIN }, async () => 2), 2);
  assert.throws(() =>
    withSpan("throws", () => {
      throw new TypeError("no");
    }),
  );
  await assert.rejects(withSpan("rejects", () => Promise.reject(new TypeError("no"))));
  assert.deepEqual(
    capture.spans().map(({ name, status, attributes }) => [name, status.code, attributes["weft.span.type"]]),
    [
      ["sync", SpanStatusCode.UNSET, undefined],
      ["async", SpanStatusCode.UNSET, "CHAIN"],
      ["throws", SpanStatusCode.ERROR, undefined],
      ["rejects", SpanStatusCode.ERROR, undefined],
    ],
  );
});

test("A span says inputs, outputs and token usage", async () => {
  using capture = captureSpans();
  await withSpan({ name: "step", inputs: { x: 1 } }, async (span) => {
    span.setOutputs({ y: [1, 2] }).setTokenUsage({ inputTokens: 3, outputTokens: 4, cacheReadTokens: 1 });
    assert.equal(getCurrentActiveSpan()?.spanId, span.spanId);
  });
  assert.deepEqual(capture.spans()[0]?.attributes, {
    "weft.inputs": '{"x":1}',
    "weft.outputs": '{"y":[1,2]}',
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.usage.cache_read.input_tokens": 1,
  });
});

test("startSpan takes a span or a context as parent, and `using` ends it", () => {
  using capture = captureSpans();
  {
    using parent = startSpan({ name: "parent", kind: SpanKind.SERVER });
    using child = startSpan({ name: "child", parent });
    using grandchild = startSpan({ name: "grandchild", parent: extract(inject({}, child.context)) });
    assert.equal(grandchild.traceId, parent.traceId);
    assert.equal(getCurrentActiveSpan(), undefined);
  }
  assert.deepEqual(
    capture.spans().map(({ name, parentIsRemote }) => [name, parentIsRemote]),
    [
      ["grandchild", true],
      ["child", false],
      ["parent", false],
    ],
  );
});

test("trace wraps a function: its name, its inputs, its outputs, its `this`", async () => {
  using capture = captureSpans();
  const counter = {
    base: 10,
    add: trace(async function add(this: { base: number }, a: number, b: number): Promise<number> {
      return this.base + a + b;
    }),
  };
  assert.equal(await counter.add(1, 2), 13);
  assert.equal(counter.add.name, "add");
  assert.equal(counter.add.length, 2);
  const plain = trace((options: { q: string }) => options.q.length, { name: "plain", spanType: "TOOL" });
  plain({ q: "four" });
  const chosen = trace((secret: string) => secret, { inputs: () => "hidden", outputs: () => "hidden too" });
  chosen("sesame");
  const [first, second, third] = capture.spans();
  assert.deepEqual([first?.name, first?.attributes["weft.inputs"]], ["add", '{"args":[1,2]}']);
  assert.equal(first?.attributes["weft.outputs"], "13");
  assert.deepEqual(second?.attributes, {
    "weft.span.type": "TOOL",
    "weft.inputs": '{"q":"four"}',
    "weft.outputs": "4",
  });
  assert.deepEqual(
    [third?.attributes["weft.inputs"], third?.attributes["weft.outputs"]],
    ['"hidden"', '"hidden too"'],
  );
});

test("trace keeps a span open while a generator is read, and ends it when it is done, left or broken", async () => {
  using capture = captureSpans();
  const inside: (string | undefined)[] = [];
  const numbers = trace(async function* numbers(limit: number) {
    for (let value = 0; value < limit; value += 1) {
      inside.push(getCurrentActiveSpan()?.spanId);
      if (value === 3) throw new RangeError("three");
      yield value;
    }
  });
  const letters = trace(function* letters() {
    yield "a";
    yield "b";
  });
  for await (const _ of numbers(2));
  for await (const value of numbers(3)) if (value === 1) break;
  await assert.rejects(async () => {
    for await (const _ of numbers(9));
  });
  assert.deepEqual([...letters()], ["a", "b"]);
  const spans = capture.spans();
  assert.deepEqual(
    spans.map(({ name, status, attributes }) => [name, status.code, attributes["weft.outputs"]]),
    [
      ["numbers", SpanStatusCode.UNSET, "[0,1]"],
      ["numbers", SpanStatusCode.UNSET, "[0,1]"],
      ["numbers", SpanStatusCode.ERROR, "[0,1,2]"],
      ["letters", SpanStatusCode.UNSET, '["a","b"]'],
    ],
  );
  assert.equal(inside[0], spans[0]?.spanId);
});

test("A recording function that throws does not break the call", () => {
  using capture = captureSpans();
  const fail = (): never => {
    throw new TypeError("recording");
  };
  const careful = trace((x: number) => x + 1, { name: "careful", inputs: fail, outputs: fail });
  assert.equal(careful(1), 2);
  assert.equal(capture.spans()[0]?.status.code, SpanStatusCode.UNSET);
});

test("updateCurrentTrace and propagateAttributes put tags, session and user on spans", () => {
  using capture = captureSpans();
  propagateAttributes({ sessionId: "s1", tags: { env: "test" } }, () => {
    withSpan("outer", () => {
      updateCurrentTrace({ userId: "u1", tags: { team: "a" }, requestPreview: "2+3?" });
      withSpan("inner", () => {});
    });
  });
  updateCurrentTrace({ userId: "nobody" });
  const [inner, outer] = capture.spans();
  assert.deepEqual(inner?.attributes, { "weft.tag.env": "test", "session.id": "s1" });
  assert.deepEqual(outer?.attributes, {
    "weft.tag.env": "test",
    "session.id": "s1",
    "weft.tag.team": "a",
    "user.id": "u1",
    "weft.trace.request_preview": "2+3?",
  });
});

test("The last active trace is the one around, else the one that began last", () => {
  using capture = captureSpans();
  withSpan("first", (span) => assert.equal(getLastActiveTraceId(), span.traceId));
  withSpan("second", () => withSpan("nested", () => {}));
  assert.equal(getLastActiveTraceId(), capture.spans().at(-1)?.traceId);
});

test("Disabled, nothing is recorded and context still passes", () => {
  using capture = captureSpans();
  withSpan("on", (on) => {
    disableTracing();
    withSpan("off", (off) => assert.equal(off.traceId, on.traceId));
    enableTracing();
  });
  assert.deepEqual(
    capture.spans().map(({ name }) => name),
    ["on"],
  );
});

test("inject writes into records and Headers; extract reads both", () => {
  using _capture = captureSpans();
  using span = startSpan("out");
  const headers = inject(new Headers(), span.context);
  const record = inject({ accept: "x" }, span.context);
  assert.equal(headers.get("traceparent"), (record as Record<string, string>)["traceparent"]);
  for (const carrier of [headers, record]) {
    using child = startSpan({ name: "in", parent: extract(carrier) });
    assert.equal(child.traceId, span.traceId);
  }
  using fresh = startSpan({ name: "fresh", parent: extract({ traceparent: "bad" }) });
  assert.notEqual(fresh.traceId, span.traceId);
});

test("withContext and bindContext bring callbacks and emitters home", () => {
  using _capture = captureSpans();
  using span = startSpan("home");
  const here = (): string | undefined => getCurrentActiveSpan()?.spanId;
  assert.equal(withContext(span.context, here), span.spanId);
  assert.equal(bindContext(here, span.context)(), span.spanId);
  const emitter = bindContext(new EventEmitter(), span.context);
  let seen: string | undefined;
  emitter.on("event", () => (seen = here()));
  emitter.emit("event");
  assert.equal(seen, span.spanId);
});

test("As a decorator, trace is called with the method and its context", () => {
  using capture = captureSpans();
  const context = {
    kind: "method",
    name: "greet",
    addInitializer() {},
  } as unknown as ClassMethodDecoratorContext;
  const method = function (this: { who: string }): string {
    return `hello ${this.who}`;
  };
  const plain = trace(method, context);
  const named = trace({ name: "greeting", spanType: SpanType.AGENT })(method, context);
  assert.equal(plain.call({ who: "Alice" }), "hello Alice");
  assert.equal(named.call({ who: "Bob" }), "hello Bob");
  assert.deepEqual(
    capture.spans().map(({ name }) => name),
    ["greet", "greeting"],
  );
});
