import assert from "node:assert/strict";
import { test } from "node:test";
import { context as contextApi, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import {
  activeContext,
  bindGenerator,
  captureSpans,
  conversationOf,
  instrument,
  isRecording,
  openSpan,
  runInContext,
  setConversation,
  suppressTracing,
  traceIdOf,
} from "../src/internal.ts";
import { WeftError } from "../src/index.ts";
import { alwaysOff, alwaysOn, parentBased, samplerByName, traceIdRatio } from "../src/spans/samplers.ts";
import { WeftTracerProvider } from "../src/spans/weft-tracer-provider.ts";
import type { TracerProviderOptions } from "../src/spans/weft-tracer-provider.ts";
import type { SpanRecord } from "../src/spans/span-record.ts";

/** A provider of its own, not registered, with the records of its ended spans. */
function provide(options: TracerProviderOptions = {}): {
  start: (name: string) => Span;
  records: SpanRecord[];
} {
  const provider = new WeftTracerProvider(options);
  const records: SpanRecord[] = [];
  provider.addSink({ onEnd: (record) => void records.push(record) });
  const tracer = provider.getTracer("test");
  return { start: (name) => tracer.startSpan(name, {}, ROOT_CONTEXT), records };
}

test("instrument nests spans through awaits and gives each its type, kind and attributes", async () => {
  using capture = captureSpans();
  await instrument({ name: "outer", type: "agent" }, async (outer) => {
    await Promise.resolve();
    assert.equal(traceIdOf(), outer.traceId);
    assert.equal(isRecording(), true);
    await instrument(
      { name: "inner", type: "tool", kind: SpanKind.CLIENT, attributes: { a: 1 } },
      async () => {},
    );
  });
  const [inner, outer] = capture.spans();
  assert.equal(inner?.parentSpanId, outer?.spanId);
  assert.equal(inner?.kind, SpanKind.CLIENT);
  assert.deepEqual(inner?.attributes, { "weft.span.type": "tool", a: 1 });
  assert.equal(outer?.parentSpanId, undefined);
  assert.ok(inner !== undefined && outer !== undefined);
  assert.ok(outer.startTime <= inner.startTime && inner.endTime <= outer.endTime);
});

test("What throws is an error once: status, error.type, one exception event; an abort is cancelled", async () => {
  using capture = captureSpans();
  const failing = { name: "fails" };
  await assert.rejects(
    instrument(failing, () => Promise.reject(new WeftError("unavailable", "no answer"))),
    {
      message: "no answer",
    },
  );
  await assert.rejects(instrument(failing, () => Promise.reject(new TypeError("bad type"))));
  await assert.rejects(instrument(failing, () => Promise.reject(new DOMException("stop", "AbortError"))));
  const [unavailable, typeError, aborted] = capture.spans();
  assert.deepEqual(unavailable?.status, { code: SpanStatusCode.ERROR, message: "no answer" });
  assert.equal(unavailable?.attributes["error.type"], "unavailable");
  assert.deepEqual(
    unavailable?.events.map(({ name }) => name),
    ["exception"],
  );
  assert.equal(typeError?.attributes["error.type"], "TypeError");
  assert.deepEqual(aborted?.status, { code: SpanStatusCode.UNSET });
  assert.equal(aborted?.attributes["weft.outcome"], "cancelled");
  assert.deepEqual(aborted?.events, []);
});

test("Only the first end of an open span counts, and an ended span changes no more", () => {
  using capture = captureSpans();
  const open = openSpan({ name: "stream" });
  open.run(() => assert.equal(traceIdOf(), open.span.traceId));
  open.end("abandoned");
  open.fail(new Error("late"));
  open.end();
  open.span
    .setAttribute("late", 1)
    .addEvent("late")
    .updateName("late")
    .setStatus({ code: SpanStatusCode.ERROR });
  const [span, ...others] = capture.spans();
  assert.equal(others.length, 0);
  assert.equal(span?.name, "stream");
  assert.deepEqual(span?.attributes, { "weft.outcome": "abandoned" });
  assert.deepEqual(span?.status, { code: SpanStatusCode.UNSET });
  assert.deepEqual(span?.events, []);
});

test("Of the outcomes only lost is an error", () => {
  using capture = captureSpans();
  for (const outcome of ["cancelled", "suspended", "abandoned", "fenced", "lost"] as const) {
    openSpan({ name: outcome }).end(outcome);
  }
  const errors = capture.spans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
  assert.deepEqual(
    errors.map(({ name }) => name),
    ["lost"],
  );
});

test("An async generator runs in the context it is bound to, wherever it is consumed", async () => {
  using _capture = captureSpans();
  const seen: (string | undefined)[] = [];
  async function* source(): AsyncGenerator<number> {
    try {
      seen.push(traceIdOf());
      yield 1;
      await Promise.resolve();
      seen.push(traceIdOf());
      yield 2;
    } finally {
      seen.push(traceIdOf());
    }
  }
  const { span } = openSpan({ name: "creator" });
  const bound = bindGenerator(span.context, source());
  for await (const value of bound) if (value === 2) break;
  assert.deepEqual(seen, [span.traceId, span.traceId, span.traceId]);
  assert.equal(traceIdOf(), undefined);
});

test("Context reaches timers, callbacks and promises, with and without a provider", async () => {
  const inTimer = (): Promise<string | undefined> =>
    new Promise((resolve) => setTimeout(() => resolve(conversationOf()), 1));
  assert.equal(await runInContext(setConversation(activeContext(), "c1"), inTimer), "c1");
  using _capture = captureSpans();
  assert.equal(await runInContext(setConversation(activeContext(), "c2"), inTimer), "c2");
  assert.equal(conversationOf(), undefined);
});

test("A context that was set before tracing started is still there afterwards", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const later = runInContext(setConversation(activeContext(), "early"), async () => {
    await promise;
    return conversationOf();
  });
  using _capture = captureSpans();
  resolve();
  assert.equal(await later, "early");
});

test("Every span under a conversation carries its id, those of other libraries too", async () => {
  using capture = captureSpans();
  await runInContext(setConversation(activeContext(), "talk"), async () => {
    await instrument({ name: "ours" }, () => trace.getTracer("other").startSpan("theirs").end());
  });
  assert.deepEqual(
    capture.spans().map(({ attributes }) => attributes["gen_ai.conversation.id"]),
    ["talk", "talk"],
  );
});

test("A suppressed context records nothing and still passes its parent on", async () => {
  using capture = captureSpans();
  await instrument({ name: "call" }, async (call) => {
    await runInContext(suppressTracing(activeContext()), async () => {
      await instrument({ name: "hidden" }, (span) => assert.equal(span.traceId, call.traceId));
    });
  });
  assert.deepEqual(
    capture.spans().map(({ name }) => name),
    ["call"],
  );
});

test("root starts a new trace although a span is active", async () => {
  using capture = captureSpans();
  await instrument({ name: "old" }, async () => {
    await instrument(
      { name: "new", root: true, links: [{ context: trace.getSpanContext(activeContext())! }] },
      () => {},
    );
  });
  const [fresh, old] = capture.spans();
  assert.notEqual(fresh?.traceId, old?.traceId);
  assert.equal(fresh?.parentSpanId, undefined);
  assert.equal(fresh?.links[0]?.context.spanId, old?.spanId);
});

test("The api's startActiveSpan works in its three forms", () => {
  using capture = captureSpans();
  const tracer = trace.getTracer("lib", "1.0");
  const end = (span: Span): string => {
    assert.equal(trace.getSpan(contextApi.active()), span);
    span.end();
    return "value";
  };
  assert.equal(tracer.startActiveSpan("one", end), "value");
  assert.equal(tracer.startActiveSpan("two", { kind: SpanKind.PRODUCER }, end), "value");
  assert.equal(tracer.startActiveSpan("three", {}, ROOT_CONTEXT, end), "value");
  assert.deepEqual(
    capture.spans().map(({ name, kind, scope }) => [name, kind, scope.name]),
    [
      ["one", SpanKind.INTERNAL, "lib"],
      ["two", SpanKind.PRODUCER, "lib"],
      ["three", SpanKind.INTERNAL, "lib"],
    ],
  );
});

test("Attributes: the count is limited and the rest counted, values are copied, what is no value is left out", () => {
  const { start, records } = provide({ limits: { attributeCount: 3, attributeValueLength: 4 } });
  const span = start("limits");
  const list = ["alpha", "b"];
  span.setAttributes({ text: "truncated", list, bad: new Date(0), worse: [() => 1] as never });
  list.push("c");
  span.setAttribute("", "no key").setAttribute("n", 1).setAttribute("one too many", 2).setAttribute("n", 3);
  span.end();
  assert.deepEqual(records[0]?.attributes, { text: "trun", list: ["alph", "b"], n: 3 });
  assert.equal(records[0]?.droppedAttributes, 1);
});

test("Events and links are limited and the rest counted", () => {
  const { start, records } = provide({ limits: { eventCount: 1, linkCount: 1, attributesPerEvent: 1 } });
  const span = start("limits");
  const link = { context: start("other").spanContext() };
  span.addEvent("first").addEvent("second", { a: 1, b: 2 }).addLinks([link, link]);
  span.end();
  const [record] = records;
  assert.deepEqual(
    record?.events.map(({ name, attributes, droppedAttributes }) => [name, attributes, droppedAttributes]),
    [["second", { a: 1 }, 1]],
  );
  assert.deepEqual([record?.droppedEvents, record?.links.length, record?.droppedLinks], [1, 1, 1]);
});

test("Status: unset changes nothing, only an error has a description, OK is final", () => {
  const { start, records } = provide();
  const { UNSET, OK, ERROR } = SpanStatusCode;
  start("a").setStatus({ code: ERROR }).setStatus({ code: UNSET }).end();
  start("b")
    .setStatus({ code: ERROR })
    .setStatus({ code: OK, message: "no" })
    .setStatus({ code: ERROR })
    .end();
  assert.deepEqual(
    records.map(({ status }) => status),
    [{ code: ERROR }, { code: OK }],
  );
});

test("A caller's own times are taken as dates, epoch milliseconds, high-resolution pairs or performance.now", () => {
  const { records } = provide();
  const provider = new WeftTracerProvider();
  provider.addSink({ onEnd: (record) => void records.push(record) });
  const tracer = provider.getTracer("t");
  const at = 1_795_311_934_500;
  tracer.startSpan("date", { startTime: new Date(at) }, ROOT_CONTEXT).end([at / 1000, 250_000_000]);
  tracer.startSpan("number", { startTime: at }, ROOT_CONTEXT).end(at - 5);
  const moment = performance.now();
  tracer.startSpan("now", { startTime: moment }, ROOT_CONTEXT).end();
  assert.deepEqual([records[0]?.startTime, records[0]?.endTime], [at, at + 250]);
  assert.equal(records[1]?.endTime, at, "an end before the start is the start");
  assert.equal(records[2]?.startTime, performance.timeOrigin + moment);
});

test("Samplers: parent-based follows the parent, a ratio keeps the same traces everywhere", () => {
  const sampled = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
  const id = "0123456789abcdef0180000000000000";
  assert.equal(parentBased(alwaysOff).shouldSample(id, sampled), true);
  assert.equal(parentBased(alwaysOn).shouldSample(id, { ...sampled, traceFlags: 0 }), false);
  assert.equal(parentBased(alwaysOff).shouldSample(id, undefined), false);
  assert.equal(traceIdRatio(0.5).shouldSample(id, undefined), true);
  assert.equal(traceIdRatio(0.49).shouldSample(id, undefined), false);
  assert.equal(traceIdRatio(0).shouldSample("f".repeat(32), undefined), false);
  assert.equal(traceIdRatio(1).shouldSample("0".repeat(31) + "1", undefined), true);
  assert.equal(
    samplerByName("parentbased_traceidratio", "0.25")?.toString(),
    "parentbased_traceidratio{0.25}",
  );
  assert.equal(samplerByName("always_off")?.toString(), "always_off");
  assert.equal(samplerByName("jaeger_remote"), undefined);
});

test("An unsampled trace passes its context on with the flag off and records nothing", () => {
  const { start, records } = provide({ sampler: alwaysOff });
  const span = start("unsampled");
  assert.equal(span.isRecording(), false);
  assert.equal(trace.isSpanContextValid(span.spanContext()), true);
  assert.equal(span.spanContext().traceFlags, 0);
  span.end();
  assert.equal(records.length, 0);
});

test("Under a provider of another SDK our helpers work through the api", async () => {
  const theirs = new WeftTracerProvider();
  const records: SpanRecord[] = [];
  theirs.addSink({ onEnd: (record) => void records.push(record) });
  const foreign = {
    getTracer: (name: string) => {
      const tracer = theirs.getTracer(name);
      return { startSpan: (...args: Parameters<typeof tracer.startSpan>) => hide(tracer.startSpan(...args)) };
    },
  };
  assert.equal(trace.setGlobalTracerProvider(foreign as never), true);
  try {
    await runInContext(setConversation(activeContext(), "talk"), async () => {
      await instrument({ name: "outer", type: "agent" }, async (outer) => {
        outer.setTokenUsage({ inputTokens: 3 });
        await instrument({ name: "inner" }, (inner) => assert.equal(inner.traceId, outer.traceId));
      });
    });
  } finally {
    trace.disable();
  }
  const [inner, outer] = records;
  assert.equal(inner?.parentSpanId, outer?.spanId);
  assert.equal(outer?.attributes["gen_ai.usage.input_tokens"], 3);
  assert.equal(outer?.attributes["gen_ai.conversation.id"], "talk");
});

/** A span as another SDK has it: the api's methods and nothing more. */
function hide(span: Span): Span {
  return new Proxy({} as Span, {
    get: (_target, key) => {
      const value: unknown = Reflect.get(span, key, span);
      const known = [
        "spanContext",
        "setAttribute",
        "setAttributes",
        "addEvent",
        "setStatus",
        "end",
        "isRecording",
      ];
      return known.includes(String(key)) && typeof value === "function" ? value.bind(span) : undefined;
    },
  });
}
