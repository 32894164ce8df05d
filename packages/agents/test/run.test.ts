import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversableAgent, GroupChat, defineAgent, tool } from "@weft/agents";
import type { ChatModel, RunEvent } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";
import type { SpanNode } from "@weft/agents/testing";
import { EventBuffer } from "../src/chat/event-buffer.ts";

interface Failure extends Error {
  readonly code: string;
  readonly result: {
    readonly endedBy: string;
    readonly traceId: string;
    readonly history: readonly unknown[];
  };
}

async function failureOf(result: Promise<unknown>): Promise<Failure> {
  return result.then(
    () => assert.fail("the run should have failed"),
    (error: unknown) => error as Failure,
  );
}

/** A model whose stream goes on for ever, until it is left; `left` settles then. */
function endlessModel(): {
  readonly model: ChatModel;
  readonly left: Promise<void>;
  readonly signals: AbortSignal[];
} {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const signals: AbortSignal[] = [];
  const model: ChatModel = {
    provider: "weft.test",
    modelId: "endless",
    generate: () => new Promise(() => undefined),
    async *stream(_request, { signal }) {
      signals.push(signal);
      try {
        for (;;) {
          yield { type: "text-delta", text: "more " };
          await new Promise((next) => setImmediate(next));
          signal.throwIfAborted();
        }
      } finally {
        resolve();
      }
    },
  };
  return { model, left, signals };
}

test("[N1] A run starts at once and needs no reader", async () => {
  const model = scriptedModel(["one two"]);
  const run = new ConversableAgent({ name: "a", model }).run("go");
  assert.equal((await run.result).text, "one two");
});

test("[N1] Text flows from the model to the reader while the model still writes", async () => {
  const { model, left } = endlessModel();
  const run = new ConversableAgent({ name: "a", model }).run("go");
  const seen: RunEvent[] = [];
  for await (const event of run) {
    seen.push(event);
    if (seen.length === 3) break;
  }
  assert.deepEqual(
    seen.map(({ type, from, turn, path }) => [type, from, turn, path]),
    Array.from({ length: 3 }, () => ["text-delta", "a", 1, []]),
  );
  await left;
  assert.equal((await failureOf(run.result)).name, "AbortError");
});

test("[N1] An abort in mid-stream rejects with an AbortError: cause the reason, result the chat so far", async () => {
  using _ = captureTraces();
  const { model, left } = endlessModel();
  const abort = new AbortController();
  const agents = [
    defineAgent({
      name: "first",
      async *respond() {
        yield "said";
      },
    }),
    new ConversableAgent({ name: "second", model, humanInputMode: "NEVER" }),
  ];
  const run = new GroupChat({ agents, speakerSelection: "roundRobin" }).run("go", { signal: abort.signal });
  const reason = new TypeError("enough");
  await assert.rejects(
    async () => {
      for await (const event of run)
        if (event.type === "text-delta" && event.from === "second") abort.abort(reason);
    },
    { name: "AbortError" },
  );
  const failure = await failureOf(run.result);
  assert.equal(failure.cause, reason);
  assert.equal(failure.result.endedBy, "aborted");
  assert.equal(failure.result.history.length, 2);
  await left;
  const trace = traceOf(failure.result);
  assert.equal(trace.orphans.length, 0);
  for (const node of [trace.root, ...trace.find("chat"), ...trace.find("invoke_agent second")]) {
    assert.equal(node.attributes["weft.outcome"], "cancelled");
    assert.notEqual(node.span.status.code, 2);
  }
});

test("[N1] A signal that fired before the start rejects without asking anyone", async () => {
  const model = scriptedModel([]);
  const run = new ConversableAgent({ name: "a", model }).run("go", { signal: AbortSignal.abort("no") });
  const failure = await failureOf(run.result);
  assert.equal(failure.name, "AbortError");
  assert.equal(failure.cause, "no");
  assert.equal(model.calls.length, 0);
});

test("[N1] An agent that ignores its signal does not hold a cancelled run", async () => {
  const stuck = defineAgent({
    name: "stuck",
    async *respond() {
      yield "x";
      await new Promise(() => undefined);
    },
  });
  const run = new GroupChat({ agents: [stuck], speakerSelection: "random" }).run("go");
  for await (const event of run) if (event.type === "text-delta") break;
  assert.equal((await failureOf(run.result)).code, "aborted");
});

test("[N1] Leaving a detached run's loop cancels nothing", async () => {
  const agents = ["a", "b"].map((name) =>
    defineAgent({
      name,
      async *respond() {
        yield name;
      },
    }),
  );
  const run = new GroupChat({ agents, speakerSelection: "roundRobin", maxRound: 4 }).run("go", {
    detached: true,
  });
  for await (const _event of run) break;
  assert.equal((await run.result).history.length, 4);
});

test("[N1] A model that throws fails the run with one WeftError, told in the trace", async () => {
  using _ = captureTraces();
  const model = scriptedModel([{ error: new RangeError("out of order") }]);
  const run = new ConversableAgent({ name: "a", model }).run("go");
  const failure = await failureOf(run.result);
  assert.equal(failure.code, "model_failed");
  assert.equal(failure.result.endedBy, "error");
  assert.equal(failure.result.history.length, 1);
  const trace = traceOf(failure.result);
  for (const node of [trace.root, ...trace.find("invoke_agent"), ...trace.find("chat")]) {
    assert.equal(node.span.status.code, 2);
    assert.equal(node.span.events.filter(({ name }) => name === "exception").length, 1);
  }
});

test("[N1] A failure reaches the reader too, after what was said", async () => {
  const model = scriptedModel([{ error: new RangeError("out of order") }]);
  const run = new ConversableAgent({ name: "a", model }).run("go");
  const types: string[] = [];
  await assert.rejects(async () => {
    for await (const { type } of run) types.push(type);
  }, /out of order/u);
  assert.deepEqual(types, ["end"]);
});

test("[O3] A tool that hangs is given up after its time, and the chat goes on", async () => {
  using _ = captureTraces();
  const hang = tool({
    name: "hang",
    description: "never ends",
    timeoutMs: 20,
    execute: () => new Promise(() => undefined),
  });
  using model = scriptedModel([{ toolCalls: [{ name: "hang", arguments: {} }] }, "gave up"]);
  const result = await new ConversableAgent({ name: "a", model, tools: [hang] }).run("go").result;
  assert.equal(result.text, "gave up");
  const response = model.calls[1]?.messages.at(-1)?.toolResponses?.[0];
  assert.match(String(response?.content), /did not finish within 20 ms/u);
  assert.equal(response?.isError, true);
  const [span] = traceOf(result).find("execute_tool");
  assert.equal(span?.span.status.code, 2);
  assert.equal(span?.attributes["error.type"], "deadline_exceeded");
});

test("A model that gives no first byte is given up after its time", async () => {
  const silent: ChatModel = {
    provider: "weft.test",
    modelId: "silent",
    generate: () => new Promise(() => undefined),
    async *stream() {
      yield await new Promise(() => undefined);
    },
  };
  const run = new ConversableAgent({ name: "a", model: silent, modelSettings: { timeoutMs: 20 } }).run("go");
  assert.equal((await failureOf(run.result)).code, "deadline_exceeded");
});

test("[N1] A model that ignores its signal in mid-stream ends in the trace when the run does", async () => {
  using _ = captureTraces();
  const deaf: ChatModel = {
    provider: "weft.test",
    modelId: "deaf",
    generate: () => new Promise(() => undefined),
    async *stream() {
      yield { type: "text-delta", text: "one" };
      yield await new Promise(() => undefined);
    },
  };
  const run = new ConversableAgent({ name: "a", model: deaf }).run("go");
  for await (const event of run) if (event.type === "text-delta") break;
  const [call] = traceOf((await failureOf(run.result)).result).find("chat");
  assert.equal(call?.attributes["weft.outcome"], "cancelled");
});

test("[N1] Past its bound a buffer merges and drops text deltas, and keeps every other event", async () => {
  const buffer = new EventBuffer(4);
  const origin = { from: "a", turn: 1, spanId: "", path: [] };
  const delta = (text: string, messageId: string): RunEvent => ({
    type: "text-delta",
    text,
    messageId,
    ...origin,
  });
  for (let index = 0; index < 10; index++) buffer.push(delta(`${index}`, "m1"));
  for (let index = 0; index < 3; index++) buffer.push({ type: "handoff", to: "b", ...origin });
  buffer.push(delta("x", "m2"));
  buffer.end();
  const seen: string[] = [];
  for (let event = await buffer.next(); event; event = await buffer.next()) {
    seen.push(event.type === "text-delta" ? event.text : event.type);
  }
  assert.deepEqual(seen, ["1", "2", "3456789", "handoff", "handoff", "handoff", "x"]);
  assert.equal(buffer.dropped, 1);
});

test("[N1] Past its bound of text a buffer drops the oldest text deltas, merged ones too", async () => {
  const buffer = new EventBuffer(2, 10);
  const origin = { from: "a", turn: 1, spanId: "", path: [], messageId: "m" };
  for (const text of ["1111", "2222", "3333", "4444", "5"])
    buffer.push({ type: "text-delta", text, ...origin });
  buffer.push({ type: "text-delta", text: "longer than all there may be", ...origin });
  buffer.end();
  const seen: string[] = [];
  for (let event = await buffer.next(); event; event = await buffer.next()) {
    if (event.type === "text-delta") seen.push(event.text);
  }
  assert.deepEqual(seen, ["longer than all there may be"]);
  assert.equal(buffer.dropped, 4);
});

test("[B2] Usage is the sum over all model calls, told by agent and model", async () => {
  const usage = { inputTokens: 3, outputTokens: 2, reasoningTokens: 1 };
  const agents = ["a", "b"].map(
    (name) =>
      new ConversableAgent({
        name,
        humanInputMode: "NEVER",
        model: scriptedModel([{ text: name, usage }], { modelId: `m-${name}` }),
      }),
  );
  const { usage: total } = await new GroupChat({ agents, speakerSelection: "roundRobin", maxRound: 3 }).run(
    "go",
  ).result;
  assert.equal(total.totalTokens, 10);
  assert.equal(total.reasoningTokens, 2);
  assert.equal(total.byAgent["a"]?.totalTokens, 5);
  assert.equal(total.byModel["m-b"]?.totalTokens, 5);
});

test("Content is written once: each text of a chat stands on one span of its trace", async () => {
  using _ = captureTraces();
  const texts = ["the opening words", "answer of the first", "answer of the second"];
  const agents = ["a", "b"].map(
    (name, index) =>
      new ConversableAgent({ name, humanInputMode: "NEVER", model: scriptedModel([texts[index + 1]!]) }),
  );
  const result = await new GroupChat({ agents, speakerSelection: "roundRobin", maxRound: 3 }).run(texts[0]!)
    .result;
  const flat = (node: SpanNode): SpanNode[] => [node, ...node.children.flatMap(flat)];
  const all = JSON.stringify(flat(traceOf(result).root).map(({ attributes }) => attributes));
  for (const text of texts) assert.equal(all.split(text).length - 1, 1, text);
});
