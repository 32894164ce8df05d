/**
 * A conversation over four services, each calling the next over another binding, is one trace. What is checked is
 * recomputed from `GET /api/traces/{id}` alone (support/trace-check.ts).
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { remoteAgent, UserProxyAgent } from "@weft/agents";
import { startCollector } from "@weft/collector";
import { connect, type Binding } from "@weft/runtime";
import { flushTraces, withSpan } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

import { startService } from "../support/start-service.ts";
import { waitForTrace, type CheckedTrace } from "../support/trace-check.ts";

const module = new URL("./processes/chain-service.ts", import.meta.url);
const question = "hello there";
const allBindings: readonly Binding[] = ["jsonrpc", "rest", "ws", "grpc"];

interface Link {
  readonly name: string;
  readonly kind: "plain" | "stream" | "group";
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the links from the last to the first, so that each knows the next; the i-th is reached over binding i. */
async function startChain(
  t: TestContext,
  collector: string,
  links: readonly Link[],
  bindings: readonly Binding[] = allBindings,
): Promise<string> {
  let next = "-";
  for (let index = links.length - 1; index >= 0; index--) {
    const { name, kind, environment } = links[index]!;
    const args = [name, bindings[index]!, next, bindings[index + 1] ?? "-", kind];
    ({ url: next } = await startService(t, module, args, { WEFT_COLLECTOR: collector, ...environment }));
  }
  return next;
}

interface Asked {
  readonly answer: string;
  readonly traceId: string;
}

/** Sends the question inside a span of this process and waits for the whole answer. */
async function askPlain(url: string, binding: Binding = "jsonrpc", text = question): Promise<Asked> {
  await using remote = await connect(url, { binding });
  return await withSpan("ask the chain", async (span) => ({
    answer: await remote.ask(text),
    traceId: span.traceId,
  }));
}

/** Has a user talk to the first link, and reads its answer piece by piece. */
async function askStreaming(url: string, binding: Binding = "jsonrpc", text = question): Promise<Asked> {
  const user = new UserProxyAgent({ name: "user", humanInputMode: "NEVER" });
  const recipient = await remoteAgent(url, { name: "chain", binding });
  const run = user.run(text, { recipient, maxTurns: 1 });
  const pieces: string[] = [];
  for await (const event of run)
    if (event.type === "text-delta" && event.path.length === 0) pieces.push(event.text);
  assert.ok(pieces.length > 1, `the answer came in ${pieces.length} pieces`);
  const { text: answer, traceId } = await run.result;
  assert.equal(pieces.join(""), answer);
  return { answer, traceId: traceId ?? "" };
}

function assertOneTrace(trace: CheckedTrace, serverSpans: number): void {
  assert.equal(trace.traceIds.length, 1);
  assert.equal(trace.roots.length, 1, "one root");
  assert.deepEqual(trace.orphans, []);
  assert.deepEqual(trace.strayServers, []);
  const servers = trace.spans.filter((span) => span.kind === "server");
  assert.equal(servers.length, serverSpans);
  assert.deepEqual(
    trace.spans.filter((span) => span.error),
    [],
  );
}

const whole = (servers: number) => (trace: CheckedTrace) =>
  trace.roots.length === 1 &&
  trace.orphans.length === 0 &&
  trace.spans.filter((span) => span.kind === "server").length === servers;

for (const streaming of [false, true]) {
  const mode = streaming ? "stream" : "plain";

  test(`a chain of four services over four bindings, one of them a group chat, is one trace (${mode})`, async (t) => {
    const collector = await startCollector({ port: 0 });
    t.after(() => collector.close());
    await using _tracing = startTracing({ serviceName: "driver", collector: collector.url });
    const url = await startChain(t, collector.url, [
      { name: "first", kind: mode },
      { name: "second", kind: mode },
      { name: "third", kind: "group" },
      { name: "fourth", kind: mode },
    ]);
    const { answer, traceId } = await (streaming ? askStreaming(url) : askPlain(url));
    await flushTraces();
    assert.equal(answer, "first(second(fourth(hello there)))");
    const trace = await waitForTrace(collector.url, traceId, whole(4));
    assertOneTrace(trace, 4);
    assert.deepEqual(trace.services, ["driver", "first", "fourth", "second", "third"]);
  });

  for (const binding of allBindings) {
    test(`a call to a service over ${binding} is one trace (${mode})`, async (t) => {
      const collector = await startCollector({ port: 0 });
      t.after(() => collector.close());
      await using _tracing = startTracing({ serviceName: "driver", collector: collector.url });
      const url = await startChain(t, collector.url, [{ name: "only", kind: mode }], [binding]);
      const { answer, traceId } = await (streaming ? askStreaming(url, binding) : askPlain(url, binding));
      await flushTraces();
      assert.equal(answer, "only(hello there)");
      const trace = await waitForTrace(collector.url, traceId, whole(1));
      assertOneTrace(trace, 1);
      assert.deepEqual(trace.services, ["driver", "only"]);
    });
  }

  test(`chats at once through one service never mix their messages or traces (${mode})`, async (t) => {
    const collector = await startCollector({ port: 0 });
    t.after(() => collector.close());
    await using _tracing = startTracing({ serviceName: "driver", collector: collector.url });
    const url = await startChain(t, collector.url, [
      { name: "first", kind: mode },
      { name: "second", kind: mode },
    ]);
    const talks = Array.from({ length: 8 }, (_, index) => `talk number ${index}`);
    const asked = await Promise.all(
      talks.map((text) => (streaming ? askStreaming(url, "jsonrpc", text) : askPlain(url, "jsonrpc", text))),
    );
    await flushTraces();
    assert.deepEqual(
      asked.map(({ answer }) => answer),
      talks.map((text) => `first(second(${text}))`),
    );
    assert.equal(new Set(asked.map(({ traceId }) => traceId)).size, talks.length);
    for (const [index, { traceId }] of asked.entries()) {
      assertOneTrace(await waitForTrace(collector.url, traceId, whole(2)), 2);
      const response = await fetch(`${collector.url}/api/traces/${traceId}/transcript`);
      const text = await response.text();
      for (const talk of talks)
        assert.equal(text.includes(talk), talk === talks[index], `${talk} in talk ${index}`);
    }
  });

  test(`a service in the middle with tracing off passes the trace on (${mode})`, async (t) => {
    const collector = await startCollector({ port: 0 });
    t.after(() => collector.close());
    await using _tracing = startTracing({ serviceName: "driver", collector: collector.url });
    const url = await startChain(t, collector.url, [
      { name: "first", kind: mode },
      { name: "second", kind: mode, environment: { WEFT_TRACING: "off" } },
      { name: "third", kind: mode },
      { name: "fourth", kind: mode },
    ]);
    const { answer, traceId } = await (streaming ? askStreaming(url) : askPlain(url));
    await flushTraces();
    assert.equal(answer, "first(second(third(fourth(hello there))))");
    // `second` says nothing; `third`'s server span hangs from the client span of `first`.
    const trace = await waitForTrace(collector.url, traceId, whole(3));
    assertOneTrace(trace, 3);
    assert.deepEqual(trace.services, ["driver", "first", "fourth", "third"]);
  });
}
