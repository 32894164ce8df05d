import assert from "node:assert/strict";
import { test } from "node:test";
import { trace } from "@opentelemetry/api";
import { withSpan, startSpan, flushTraces, WeftError } from "../src/index.ts";
import {
  captureSpans,
  injectCarrier,
  instrument,
  openSpan,
  recordInput,
  recordSystem,
  recordToolCall,
} from "../src/internal.ts";
import { alwaysOff, startTracing } from "../src/node.ts";
import { startOtlpServer } from "./support/otlp-server.ts";

test("Spans leave while the process runs, and our own requests are neither traced nor marked", async () => {
  await using server = await startOtlpServer();
  await using _tracing = startTracing({
    collector: server.url,
    serviceName: "desk",
    serviceVersion: "1",
    experiment: "e",
  });
  withSpan("first", () => {});
  await server.received(1);
  withSpan("second", () => {});
  await server.received(2);
  assert.deepEqual(
    server.spans.map(({ name }) => name),
    ["first", "second"],
  );
  assert.equal(server.requests[0]?.headers["traceparent"], undefined);
  const { resource } = server.spans[0] ?? {};
  assert.deepEqual(
    [resource?.["service.name"], resource?.["service.version"], resource?.["weft.experiment"]],
    ["desk", "1", "e"],
  );
});

test("The resource says what of the content is recorded here", async () => {
  await using server = await startOtlpServer();
  for (const content of ["none", "delta", "full"] as const) {
    await using _tracing = startTracing({ collector: server.url, content });
    withSpan(content, () => {});
  }
  assert.deepEqual(
    server.spans.map(({ name, resource }) => [name, resource["weft.content.policy"]]),
    [
      ["none", "none"],
      ["delta", "delta"],
      ["full", "full"],
    ],
  );
});

test("After shutdown nothing is recorded, and tracing can start again", async () => {
  await using server = await startOtlpServer();
  const first = startTracing({ collector: server.url });
  withSpan("one", () => {});
  await first.shutdown();
  withSpan("between", () => {});
  const second = startTracing({ collector: server.url });
  withSpan("two", () => {});
  await second.shutdown();
  await second.shutdown();
  assert.deepEqual(
    server.spans.map(({ name }) => name),
    ["one", "two"],
  );
});

test("A second start changes nothing", async () => {
  await using server = await startOtlpServer();
  await using tracing = startTracing({ collector: server.url });
  assert.equal(startTracing({ collector: "http://127.0.0.1:9" }), tracing);
  withSpan("kept", () => {});
  await flushTraces();
  assert.equal(server.spans.length, 1);
});

test("flush waits for the batch in flight", async () => {
  const answer = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using server = await startOtlpServer(async () => {
    arrived.resolve();
    await answer.promise;
    return 200;
  });
  await using tracing = startTracing({ collector: server.url });
  withSpan("slow", () => {});
  const early = tracing.flush();
  await arrived.promise;
  let flushed = false;
  const late = tracing.flush().then(() => (flushed = true));
  await new Promise(setImmediate);
  assert.equal(flushed, false);
  answer.resolve();
  await Promise.all([early, late]);
  assert.equal(server.spans.length, 1);
});

test("What does not fit into the queue is counted, and the next span that gets out says so", async () => {
  const answer = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using server = await startOtlpServer(async () => {
    arrived.resolve();
    await answer.promise;
    return 200;
  });
  await using tracing = startTracing({ collector: server.url, queue: { maxSpans: 3 } });
  withSpan("in flight", () => {});
  const flushed = tracing.flush();
  await arrived.promise;
  for (let index = 0; index < 10; index += 1) withSpan(`span ${index}`, () => {});
  answer.resolve();
  await flushed;
  await tracing.flush();
  assert.deepEqual(
    server.spans.map(({ name, attributes }) => [name, attributes["weft.dropped_spans"]]),
    [
      ["in flight", undefined],
      ["span 0", 8],
      ["span 1", undefined],
    ],
  );
});

test("A text whose span was dropped is recorded again by the next span that has it", async () => {
  const answer = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using server = await startOtlpServer(async () => {
    arrived.resolve();
    await answer.promise;
    return 200;
  });
  await using tracing = startTracing({ collector: server.url, content: "delta", queue: { maxSpans: 1 } });
  const message = { id: "m1", role: "user", content: "hello" } as const;
  const system = { id: "s1", text: "be brief" } as const;
  const toolResponses = [{ toolCallId: "c1", content: "five" }] as const;
  const answered = { id: "m2", role: "tool", content: null, toolResponses } as const;
  await instrument({ name: "root" }, async (root) => {
    startSpan({ name: "fills the queue", parent: root.context }).end();
    const flushed = tracing.flush();
    await arrived.promise;
    const dropped = openSpan({ name: "dropped" });
    recordInput(dropped.span, [message]);
    recordSystem(dropped.span, system);
    recordToolCall(dropped.span, { result: "five", answeredIn: { messageId: "m2", place: 0, count: 1 } });
    dropped.end();
    answer.resolve();
    await flushed;
    const next = openSpan({ name: "next" });
    recordInput(next.span, [message, answered]);
    recordSystem(next.span, system);
    next.end();
  });
  await tracing.flush();
  const next = server.spans.find(({ name }) => name === "next");
  assert.match(String(next?.attributes["gen_ai.input.messages"]), /hello.*five/);
  assert.match(String(next?.attributes["gen_ai.system_instructions"]), /be brief/);
  assert.equal(
    server.spans.some(({ name }) => name === "dropped"),
    false,
  );
});

test("The queue is bounded by bytes too", async () => {
  await using server = await startOtlpServer();
  await using tracing = startTracing({ collector: server.url, queue: { maxBytes: 500_000 } });
  for (let index = 0; index < 10; index += 1)
    startSpan({ name: "big", attributes: { text: "x".repeat(200_000) } }).end();
  await tracing.flush();
  assert.equal(server.spans.length, 2);
});

test("A hundred parallel requests of one trace in one process leave no orphan", async () => {
  await using server = await startOtlpServer();
  await using tracing = startTracing({ collector: server.url });
  await instrument({ name: "root" }, async () => {
    const request = async (index: number): Promise<void> => {
      await instrument({ name: `request ${index}` }, async () => {
        await new Promise(setImmediate);
        await instrument({ name: "step" }, () => injectCarrier());
      });
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => request(index)));
  });
  await tracing.flush();
  assert.equal(server.spans.length, 201);
  const ids = new Set(server.spans.map(({ spanId }) => spanId));
  const parents = server.spans.map((span) => span["parentSpanId"] as string | undefined);
  assert.equal(parents.filter((parent) => parent === undefined).length, 1);
  assert.ok(parents.every((parent) => parent === undefined || ids.has(parent)));
  assert.equal(new Set(server.spans.map(({ traceId }) => traceId)).size, 1);
});

test("Options win over the environment: enabled, sampler", async () => {
  await using server = await startOtlpServer();
  {
    await using _off = startTracing({ collector: server.url, enabled: false });
    withSpan("disabled", (span) => assert.equal(span.isRecording(), false));
  }
  {
    await using _none = startTracing({ collector: server.url, sampler: alwaysOff });
    withSpan("unsampled", (span) => assert.equal(span.isRecording(), false));
  }
  assert.equal(server.requests.length, 0);
});

test("An address that is none is refused at once", () => {
  for (const options of [{ collector: "127.0.0.1:4318" }, { endpoint: "ftp://x" }]) {
    assert.throws(
      () => startTracing(options),
      (error) => error instanceof WeftError && error.code === "invalid_argument",
    );
  }
});

test("A capture beside real tracing sees the spans and leaves tracing running", async () => {
  await using server = await startOtlpServer();
  await using tracing = startTracing({ collector: server.url });
  {
    using capture = captureSpans();
    withSpan("both", () => {});
    assert.equal(capture.spans().length, 1);
  }
  withSpan("after", () => {});
  await tracing.flush();
  assert.equal(server.spans.length, 2);
});

test("With another provider registered first, startTracing leaves it alone and flushes it", async () => {
  let flushed = 0;
  const provider = { getTracer: () => trace.getTracer("none"), forceFlush: async () => void (flushed += 1) };
  trace.setGlobalTracerProvider(provider);
  try {
    await using tracing = startTracing({ collector: "http://127.0.0.1:9" });
    await tracing.flush();
    assert.equal(flushed, 1);
  } finally {
    trace.disable();
  }
});
