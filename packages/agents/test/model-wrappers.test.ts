import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConversableAgent, WeftError, cached, createMessage, failover } from "@weft/agents";
import type { ChatModel } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";

const usage = { inputTokens: 10, outputTokens: 5 };
const ask = (model: ChatModel, text = "Hi") => new ConversableAgent({ name: "a", model }).run(text).result;
const broken = () =>
  scriptedModel([{ error: new WeftError("unavailable", "down") }], {
    modelId: "first",
    price: { input: 1e6, output: 0 },
  });

test("[L1] Failover asks the next model, and the trace and the price say which one answered", async () => {
  using _ = captureTraces();
  const second = scriptedModel([{ text: "hello", usage }], {
    modelId: "second",
    price: { input: 1, output: 2 },
  });
  const result = await ask(failover([broken(), second]));
  assert.equal(result.text, "hello");
  assert.equal(result.cost, 20 / 1e6);
  const trace = traceOf(result);
  const chats = trace.find("chat");
  assert.deepEqual(
    chats.map(({ name, attributes, span }) => ({
      name,
      attempt: attributes["weft.model.failover_attempt"],
      error: attributes["error.type"],
      exceptions: span.events.filter((event) => event.name === "exception").length,
      tokens: attributes["gen_ai.usage.input_tokens"],
      parent: span.parentSpanId === trace.find("invoke_agent a")[0]?.span.spanId,
    })),
    [
      {
        name: "chat first",
        attempt: 1,
        error: "unavailable",
        exceptions: 1,
        tokens: undefined,
        parent: true,
      },
      { name: "chat second", attempt: 2, error: undefined, exceptions: 0, tokens: 10, parent: true },
    ],
  );
  assert.equal(chats[1]?.attributes["gen_ai.response.model"], "second");
  assert.equal(
    chats[0]?.attributes["weft.context"]?.toString(),
    chats[1]?.attributes["weft.context"]?.toString(),
  );
  assert.deepEqual(Object.keys(result.usage.byModel), ["second"]);
});

test("[L1] Every failed attempt is in the trace, of failovers in failovers and behind a cache too", async () => {
  using _ = captureTraces();
  const down = (modelId: string) =>
    scriptedModel([{ error: new WeftError("unavailable", modelId) }], { modelId });
  const third = scriptedModel([{ text: "hello", usage }], { modelId: "third" });
  const model = cached(failover([failover([down("one"), down("two")]), third]));
  const shown = (result: { readonly traceId?: string | undefined }) =>
    traceOf(result)
      .find("chat")
      .map(({ name, attributes }) => [name, attributes["weft.model.failover_attempt"]]);
  assert.deepEqual(shown(await ask(model)), [
    ["chat one", 1],
    ["chat two", 2],
    ["chat third", 3],
  ]);
  assert.deepEqual(shown(await ask(model)), [["chat one", undefined]]);
  const failed: unknown = await ask(failover([down("one"), down("two")])).catch((error: unknown) => error);
  assert.deepEqual(shown((failed as { result: { traceId?: string } }).result), [
    ["chat one", 1],
    ["chat two", 2],
  ]);
});

test("[L1] Failover leaves a silent model when its time is up, also for an answer that is not streamed", async () => {
  let left = 0;
  const silent: ChatModel = {
    provider: "weft.test",
    modelId: "silent",
    generate: (_request, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          left++;
          reject(signal.reason);
        });
      }),
    async *stream(request, call) {
      yield { type: "finish", response: await silent.generate(request, call) };
    },
  };
  const model = failover([silent, scriptedModel(["hello", "again"])]);
  const modelSettings = { timeoutMs: 30 };
  const agent = new ConversableAgent({ name: "a", model, modelSettings });
  assert.equal((await agent.run("Hi").result).text, "hello");
  const request = { messages: [createMessage("Hi")], settings: modelSettings };
  assert.equal((await model.generate(request, { signal: new AbortController().signal })).text, "again");
  assert.equal(left, 2);
});

test("[L1] Failover keeps to its filter, and all failing is the last one's error", async () => {
  const second = scriptedModel(["never"]);
  await assert.rejects(ask(failover([broken(), second], { when: ({ code }) => code !== "unavailable" })), {
    message: "down",
  });
  const last = scriptedModel([{ error: new WeftError("limit_exceeded", "slow down") }]);
  await assert.rejects(ask(failover([broken(), last])), { code: "limit_exceeded" });
  assert.throws(() => failover([]), { code: "invalid_argument" });
});

test("[L1] A stream that was shown is not begun again by another model", async () => {
  const half: ChatModel = {
    provider: "weft.test",
    modelId: "half",
    generate: () => Promise.reject(new WeftError("unavailable", "half")),
    async *stream() {
      yield { type: "text-delta", text: "so " };
      throw new WeftError("unavailable", "half");
    },
  };
  const second = scriptedModel(["whole"]);
  await assert.rejects(ask(failover([half, second])), { message: "half" });
  assert.equal(second.calls.length, 0);
});

test("[L1] A cached answer is the same, costs nothing and says so; another request is another answer", async () => {
  using _ = captureTraces();
  const inner = scriptedModel(
    [
      { text: "one", usage },
      { text: "two", usage },
    ],
    { price: { input: 1, output: 1 } },
  );
  const model = cached(inner);
  const first = await ask(model);
  const again = await ask(model);
  const other = await ask(model, "Ho");
  assert.deepEqual([first.text, again.text, other.text], ["one", "one", "two"]);
  assert.deepEqual([again.usage.totalTokens, again.cost], [0, 0]);
  assert.equal(inner.calls.length, 2);
  assert.equal(traceOf(again).find("chat scripted")[0]?.attributes["weft.model.cache_hit"], true);
});

test("[L1] The cache's key is the full request: settings, tools, format and system text tell requests apart", async () => {
  const inner = scriptedModel(["1", "2", "3", "4", "5"]);
  const model = cached(inner);
  const { signal } = new AbortController();
  const messages = () => [createMessage("Hi")];
  const requests = [
    { messages: messages() },
    { messages: messages(), system: "s" },
    { messages: messages(), settings: { temperature: 1 } },
    { messages: messages(), tools: [{ name: "t", description: "t", parameters: {} }] },
    { messages: messages(), responseFormat: { name: "f", schema: {} } },
  ];
  const ask = async (request: (typeof requests)[number]) => (await model.generate(request, { signal })).text;
  const first = [];
  for (const request of requests) first.push(await ask(request));
  assert.deepEqual(first, ["1", "2", "3", "4", "5"]);
  for (const [index, request] of requests.entries()) {
    assert.equal(await ask({ ...request, messages: messages() }), String(index + 1));
  }
});

test("[L1] A cache in a SQLite file outlives its process and is shared", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-cache-"));
  try {
    const path = join(folder, "answers.db");
    assert.equal((await ask(cached(scriptedModel(["kept"]), { store: { path } }))).text, "kept");
    const nobody = scriptedModel([]);
    assert.equal((await ask(cached(nobody, { store: { path } }))).text, "kept");
    const cut = scriptedModel([{ text: "cu", finishReason: "length" }, "whole"]);
    const model = cached(cut, { store: { path }, scope: "other" });
    assert.deepEqual([(await ask(model)).text, (await ask(model)).text], ["cu", "whole"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
