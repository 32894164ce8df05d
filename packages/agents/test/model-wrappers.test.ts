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
  const [chat] = traceOf(result).find("chat first");
  assert.equal(chat?.attributes["weft.model.failover_attempt"], 2);
  assert.equal(chat?.attributes["gen_ai.response.model"], "second");
  assert.deepEqual(Object.keys(result.usage.byModel), ["second"]);
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
