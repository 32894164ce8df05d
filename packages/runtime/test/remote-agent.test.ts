import assert from "node:assert/strict";
import { test } from "node:test";
import { captureSpans, injectCarrier, SpanKind } from "@weft/tracing/internal";
import { WeftError, withSpan } from "@weft/tracing";
import { Attr, Outcomes } from "@weft/tracing/vocabulary";
import { createMessage, defineAgent, messageText, noUsage, runTurn } from "../src/agent/index.ts";
import type { Agent, AgentEvent } from "../src/agent/index.ts";
import { createRemoteAgent } from "../src/index.ts";
import type { Binding, RemoteAgent, Service } from "../src/index.ts";
import { bindings, echo, gate, hasCode, newContext, say, startService, textOfTurn } from "./support.ts";

const timeout = 20_000;
const usage = { ...noUsage, inputTokens: 3, outputTokens: 2, totalTokens: 5 };

test(
  "events of the far agent and of chats inside it arrive with their path, usage once",
  { timeout },
  async () => {
    const inner: AgentEvent = {
      type: "text-delta",
      text: "psst",
      from: "eve",
      turn: 1,
      spanId: "s",
      path: [],
    };
    const busy = defineAgent({
      name: "busy",
      async *respond() {
        yield { type: "tool-call", toolCallId: "t1", toolName: "add", input: { a: 1 } } as const;
        yield { type: "tool-result", toolCallId: "t1", output: 2 } as const;
        yield { type: "usage", usage, model: "m1" } as const;
        yield inner;
        yield "done";
      },
    });
    for (const binding of bindings) {
      await using service = await startService(busy);
      await using remote = await createRemoteAgent(service.url, { binding, name: "helper" });
      const events = await say(remote, "go", newContext());
      const about = events.map(({ type, from, path }) => `${type} ${from} ${path.join("/")}`.trim());
      assert.deepEqual(about, [
        "tool-call helper",
        "tool-result helper",
        "usage helper",
        "text-delta eve helper",
        "text-delta helper",
        "message helper",
      ]);
      assert.equal(textOfTurn(events), "done");
    }
  },
);

test("variables cross the hop and come back changed", { timeout }, async () => {
  const counts = defineAgent({
    name: "counts",
    async *respond({ contextVariables }) {
      contextVariables["count"] = Number(contextVariables["count"]) + 1;
      yield "ok";
    },
  });
  await using service = await startService(counts);
  await using remote = await createRemoteAgent(service.url);
  const context = newContext();
  context.history.append(createMessage("go"));
  const request = { messages: context.history.messages, newFrom: 0, contextVariables: { count: 1 } };
  await Array.fromAsync(runTurn(remote, request, context, { turn: 1 }));
  assert.equal(request.contextVariables.count, 2);
});

test("a classified failure keeps its code and message over the hop", { timeout }, async () => {
  const fails = defineAgent({
    name: "fails",
    async *respond() {
      yield "";
      throw new WeftError("model_failed", "The provider said 529.");
    },
  });
  for (const binding of bindings) {
    await using service = await startService(fails);
    await using remote = await createRemoteAgent(service.url, { binding });
    await assert.rejects(
      say(remote, "go", newContext()),
      (error: Error) => hasCode("model_failed")(error) && /529/.test(error.message),
    );
  }
});

test("a spent budget is refused by its name, and a passed deadline too", { timeout }, async () => {
  await using service = await startService(echo);
  await using remote = await createRemoteAgent(service.url, { binding: "ws" });
  const spent = newContext({ budget: { tokens: 0 } });
  await assert.rejects(
    say(remote, "go", spent),
    (error: Error) => hasCode("budget_exceeded")(error) && /tokens/.test(error.message),
  );
  const late = newContext({ hop: { carrier: {}, hops: 0, deadline: Date.now() - 1 } });
  await assert.rejects(say(remote, "go", late), hasCode("deadline_exceeded"));
  const far = newContext({ hop: { carrier: {}, hops: 99 } });
  await assert.rejects(say(remote, "go", far), hasCode("budget_exceeded"));
});

const lists = defineAgent({
  name: "lists",
  async *respond({ messages }) {
    yield messages.map((m) => `${m.name ?? "-"}:${m.role}:${messageText(m)}`).join("|");
  },
});

async function sayTwo(
  remote: Agent,
  first: [string, string],
  second: [string, string],
): Promise<string | undefined> {
  const context = newContext();
  for (const [name, content] of [first, second]) context.history.append(createMessage({ name, content }));
  const request = { messages: context.history.messages, newFrom: 0, contextVariables: {} };
  return textOfTurn(await Array.fromAsync(runTurn(remote, request, context, { turn: 1 })));
}

test("a Weft service is told every speaker; a stranger reads names in the text", { timeout }, async () => {
  await using service = await startService(lists);
  await using remote = await createRemoteAgent(service.url);
  assert.equal(await sayTwo(remote, ["ann", "hi"], ["bob", "yo"]), "ann:user:hi|bob:user:yo");
  const { card } = service;
  const plain = {
    ...card,
    capabilities: { ...card.capabilities!, extensions: [] },
    supportedInterfaces: card.supportedInterfaces.filter((known) => known.protocolBinding === "JSONRPC"),
  };
  await using stranger = await createRemoteAgent(plain);
  assert.equal(await sayTwo(stranger, ["ann", "hi"], ["bob", "yo"]), "-:user:ann: hibob: yo");
});

test(
  "context full sends everything afresh, last only the last, a function what it chooses",
  { timeout },
  async () => {
    await using service = await startService(lists);
    const second = async (
      context: "full" | "last" | ((request: { messages: readonly unknown[] }) => never[]),
    ) => {
      await using remote = await createRemoteAgent(service.url, { context, name: "r" });
      const conversation = newContext();
      await say(remote, "a", conversation);
      return textOfTurn(await say(remote, "b", conversation, 2));
    };
    assert.equal(await second("full"), "user:user:a|-:assistant:user:user:a|user:user:b");
    assert.equal(await second("last"), "user:user:a|lists:assistant:user:user:a|user:user:b");
  },
);

test("what a failed turn had sent is sent again with the next", { timeout }, async () => {
  let calls = 0;
  const fails = defineAgent({
    name: "fails",
    async *respond({ messages }) {
      if (++calls === 2) throw new WeftError("unavailable", "Not now.");
      yield messages
        .filter(({ role }) => role === "user")
        .map(messageText)
        .join("|");
    },
  });
  await using service = await startService(fails);
  await using remote = await createRemoteAgent(service.url);
  const context = newContext();
  assert.equal(textOfTurn(await say(remote, "a", context)), "a");
  await assert.rejects(say(remote, "b", context, 2), hasCode("unavailable"));
  assert.equal(textOfTurn(await say(remote, "c", context, 3)), "a|b|c");
});

/** Services in a row, each asking the next over another binding. */
async function chain(
  last: Agent,
  order: readonly Binding[],
): Promise<AsyncDisposable & { first: RemoteAgent }> {
  const open: AsyncDisposable[] = [];
  let next: Agent = last;
  let remote: RemoteAgent | undefined;
  for (const [index, binding] of order.entries()) {
    const served = next;
    const service: Service = await startService({
      ...served,
      name: `s${index}`,
      respond: (r, c) => served.respond(r, c),
    });
    remote = await createRemoteAgent(service.url, { binding });
    open.unshift(remote, service);
    next = passOn(remote);
  }
  return {
    first: remote!,
    [Symbol.asyncDispose]: async () => {
      for (const each of open) await each[Symbol.asyncDispose]();
    },
  };
}

/** An agent that asks another in a turn of its own. */
function passOn(remote: RemoteAgent): Agent {
  return defineAgent({
    name: "passes",
    async *respond(request, context) {
      const inner = newContext({
        hop: context.hop,
        conversationId: context.conversationId,
        signal: context.signal,
      });
      const message = createMessage({ content: messageText(request.messages.at(-1)!), name: "passes" });
      inner.history.append(message);
      const asked = { messages: inner.history.messages, newFrom: 0, contextVariables: {} };
      for await (const event of runTurn(remote, asked, inner, { turn: 1 })) {
        if (event.type === "text-delta" && event.path.length === 0) yield event.text;
      }
    },
  });
}

test("a chain over four bindings is one trace without orphans, one conversation", { timeout }, async () => {
  using captured = captureSpans();
  await using links = await chain(echo, bindings);
  const context = newContext({ conversationId: "c1" });
  const events = await withSpan("user", () => say(links.first, "hello there", context));
  assert.equal(textOfTurn(events), "hello there ");
  const spans = captured.spans();
  const ids = new Map(spans.map((span) => [span.spanId, span]));
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  assert.deepEqual(
    spans
      .filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId))
      .map(({ name }) => name),
    ["user"],
  );
  const servers = spans.filter(({ kind }) => kind === SpanKind.SERVER);
  assert.deepEqual(
    new Set(servers.map(({ attributes }) => attributes["weft.a2a.binding"])),
    new Set(bindings),
  );
  assert.ok(servers.every((span) => ids.get(span.parentSpanId!)!.kind === SpanKind.CLIENT));
  assert.ok(servers.every(({ attributes }) => attributes["gen_ai.conversation.id"] === "c1"));
});

test("services that do not trace still pass on what they received", { timeout }, async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const tells = defineAgent({
    name: "tells",
    async *respond(_request, { hop }) {
      yield `${hop.carrier["traceparent"]} ${hop.hops} ${injectCarrier()["traceparent"]}`;
    },
  });
  await using links = await chain(tells, bindings);
  const context = newContext({ hop: { carrier: { traceparent }, hops: 0 } });
  assert.equal(textOfTurn(await say(links.first, "go", context)), `${traceparent} 4 ${traceparent}`);
});

/** Counts its turns in the chat's variables; asks for a colour; works until it is stopped when told to. */
function various(onWork: (signal: AbortSignal) => void): Agent {
  return defineAgent({
    name: "various",
    async *respond({ messages, contextVariables }, { signal }) {
      const text = messageText(messages.at(-1)!);
      contextVariables["turns"] = Number(contextVariables["turns"] ?? 0) + 1;
      yield { type: "usage", usage, model: "m" } as const;
      if (text === "paint") {
        yield {
          type: "input-required",
          id: "q",
          kind: "reply",
          agent: "various",
          prompt: "Colour?",
        } as const;
        return;
      }
      if (text === "work") {
        onWork(signal);
        await new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        );
      }
      yield `re: ${text}`;
    },
  });
}

for (const binding of bindings) {
  test(`${binding}: an agent that answers with messages is one like any other`, { timeout }, async () => {
    using captured = captureSpans();
    const working = various(() => undefined);
    await using service = await startService(working, { respondWith: "message" });
    await using remote = await createRemoteAgent(service.url, { binding, name: "far" });
    const context = newContext();
    const contextVariables: Record<string, unknown> = { turns: 7 };
    const ask = (text: string, turn: number): Promise<AgentEvent[]> => {
      const newFrom = context.history.append(createMessage({ content: text, name: "user" }));
      const request = { messages: context.history.messages, newFrom, contextVariables };
      return withSpan("user", () => Array.fromAsync(runTurn(remote, request, context, { turn })));
    };
    await withSpan("chat", async () => {
      const first = await ask("hi", 1);
      assert.deepEqual(
        first.map(({ type, from }) => `${type} ${from}`),
        ["text-delta far", "usage far", "message far"],
      );
      assert.equal(first[1]?.type === "usage" && first[1].usage.totalTokens, 5);
      assert.deepEqual([textOfTurn(first), contextVariables["turns"]], ["re: hi", 8]);
      const question = (await ask("paint", 2)).at(-1);
      assert.equal(question?.type === "input-required" && question.prompt, "Colour?");
      assert.equal(textOfTurn(await ask("blue", 3)), "re: blue");
      assert.deepEqual([textOfTurn(await ask("bye", 4)), contextVariables["turns"]], ["re: bye", 11]);
    });
    const spans = captured.spans();
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
    assert.deepEqual(
      spans.filter(({ parentSpanId }) => parentSpanId === undefined).map(({ name }) => name),
      ["chat"],
    );
    const servers = spans.filter(({ kind }) => kind === SpanKind.SERVER);
    assert.equal(servers.length, 4);
    const said = JSON.stringify(spans.map(({ attributes }) => attributes));
    for (const text of ["re: hi", "re: blue", "re: bye"]) assert.equal(said.split(text).length, 2, text);
  });

  test(`${binding}: who gives up an agent that answers with messages stops it`, { timeout }, async () => {
    using captured = captureSpans();
    const works = gate<AbortSignal>();
    await using service = await startService(various(works.resolve), { respondWith: "message" });
    await using remote = await createRemoteAgent(service.url, { binding });
    const controller = new AbortController();
    const refused = assert.rejects(
      say(remote, "work", newContext({ signal: controller.signal })),
      hasCode("aborted"),
    );
    const { promise: stopped, resolve } = gate<unknown>();
    (await works.promise).addEventListener("abort", resolve);
    const givenUp = performance.now();
    controller.abort();
    await Promise.all([refused, stopped]);
    assert.ok(performance.now() - givenUp < 4_000, "it does not wait for a task's name");
    const isServer = ({ kind }: { readonly kind: SpanKind }): boolean => kind === SpanKind.SERVER;
    while (!captured.spans().some(isServer)) await new Promise((again) => setImmediate(again));
    const [server] = captured.spans().filter(isServer);
    assert.equal(server?.attributes[Attr.outcome], Outcomes.cancelled);
  });
}

test(
  "a turn's time is over when it says, also at an agent that answers with messages",
  { timeout },
  async () => {
    const stopped = gate();
    const works = various((signal) => signal.addEventListener("abort", () => stopped.resolve()));
    await using service = await startService(works, { respondWith: "message" });
    await using remote = await createRemoteAgent(service.url, { timeoutMs: 200 });
    await assert.rejects(say(remote, "work", newContext()), hasCode("deadline_exceeded"));
    await stopped.promise;
  },
);
