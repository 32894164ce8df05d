import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ConversableAgent, GroupChat, defineAgent, remoteAgent } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";
import { serve } from "@weft/runtime";

const usage = { inputTokens: 60, outputTokens: 40 };
const speaker = (
  name: string,
  count: number,
  options: Parameters<typeof scriptedModel>[1] = {},
): ConversableAgent =>
  new ConversableAgent({
    name,
    model: scriptedModel(
      Array.from({ length: count }, (_, index) => ({ text: `${name}${index + 1}`, usage })),
      options,
    ),
    humanInputMode: "NEVER",
  });

const team = (count: number, options: Parameters<typeof scriptedModel>[1] = {}) =>
  new GroupChat({
    agents: [speaker("a", count, options), speaker("b", count, options)],
    speakerSelection: "roundRobin",
    maxRound: 20,
  });

test("[B1] A chat ends with its budget, named: tokens, turns, cost and time", async () => {
  const tokens = await team(3).run("go", { budget: { tokens: 250 } }).result;
  assert.equal(tokens.endedBy, "budget");
  assert.equal(tokens.spentBudget, "tokens");
  assert.equal(tokens.history.length, 4);
  const turns = await team(3).run("go", { budget: { turns: 2 } }).result;
  assert.deepEqual([turns.endedBy, turns.spentBudget, turns.history.length], ["budget", "turns", 3]);
  // 100 tokens at 10 USD per million are a tenth of a cent.
  const price = { price: { input: 10, output: 10 } };
  const cost = await team(3, price).run("go", { budget: { cost: 0.0015 } }).result;
  assert.deepEqual([cost.endedBy, cost.spentBudget, cost.history.length], ["budget", "cost", 3]);
  assert.ok(Math.abs((cost.cost ?? 0) - 0.002) < 1e-12);
  const slow = defineAgent({
    name: "slow",
    respond: async function* () {
      await new Promise(() => undefined);
      yield "";
    },
  });
  const late = await new GroupChat({ agents: [slow], speakerSelection: "roundRobin" }).run("go", {
    budget: { deadlineMs: 20 },
  }).result;
  assert.deepEqual([late.endedBy, late.spentBudget], ["budget", "deadlineMs"]);
});

test("[B1] A requested maxOutputTokens counts in advance", async () => {
  const model = scriptedModel([]);
  const agent = new ConversableAgent({ name: "a", model, modelSettings: { maxOutputTokens: 500 } });
  const chat = await agent.run("go", { budget: { tokens: 400 } }).result;
  assert.deepEqual([chat.endedBy, chat.spentBudget], ["budget", "tokens"]);
  assert.equal(model.calls.length, 0);
});

test("[B1] The refusal stands in the trace, on the call that was refused", async () => {
  using _ = captureTraces();
  const chat = await team(3).run("go", { budget: { tokens: 100 } }).result;
  const refused = traceOf(chat).find("invoke_agent b")[0];
  assert.equal(refused, undefined);
  const chats = traceOf(chat).find("invoke_workflow group");
  assert.equal(chats[0]?.attributes["weft.chat.ended_by"], "budget");
});

test("[B1] A budget crosses hops: what a remote member spends counts here, and it is told what is left", async () => {
  const seen: unknown[] = [];
  const inner = speaker("worker", 5);
  const told = defineAgent({
    name: "worker",
    async *respond(request, context) {
      seen.push(context.budget);
      yield* inner.respond(request, context);
    },
  });
  await using service = await serve(told, { port: 0, host: "127.0.0.1" });
  await using remote = await remoteAgent(service.url, { name: "worker" });
  const group = new GroupChat({ agents: [remote], speakerSelection: "roundRobin", maxRound: 9 });
  const chat = await group.run("go", { budget: { tokens: 150, hops: 3 } }).result;
  assert.equal(chat.endedBy, "budget");
  assert.equal(chat.spentBudget, "tokens");
  assert.equal(chat.usage.totalTokens, 200);
  assert.deepEqual(seen, [
    { tokens: 150, hops: 3 },
    { tokens: 50, hops: 3 },
  ]);
});

test("[B1] Hops end where the budget says: a service cannot call on when none is left", async () => {
  await using end = await serve(speaker("end", 2), { port: 0, host: "127.0.0.1" });
  await using last = await remoteAgent(end.url, { name: "end" });
  const middle = new GroupChat({
    name: "middle",
    agents: [last],
    speakerSelection: "roundRobin",
    maxRound: 2,
  });
  await using service = await serve(middle, { port: 0, host: "127.0.0.1" });
  await using remote = await remoteAgent(service.url, { name: "middle" });
  const group = new GroupChat({ agents: [remote], speakerSelection: "roundRobin", maxRound: 2 });
  assert.equal((await group.run("go", { budget: { hops: 2 } }).result).text, "end1");
  const one = await group.run("go", { budget: { hops: 1 } }).result;
  assert.equal(one.endedBy, "budget");
});

test("[B1] A run inside a turn inherits the turn's budget, conversation and signal", async () => {
  const inner = team(9);
  const outer = defineAgent({
    name: "outer",
    async *respond() {
      const result = await inner.run("inner").result;
      yield `${result.endedBy} ${result.conversationId}`;
    },
  });
  const group = new GroupChat({ agents: [outer], speakerSelection: "roundRobin", maxRound: 2 });
  const chat = await group.run("go", { budget: { tokens: 250 }, conversationId: "c-1" }).result;
  assert.equal(chat.text, "budget c-1");
});

test("[B1] A budget of an unknown name or of no number is an error", () => {
  for (const budget of [{ token: 1 }, { tokens: "1" }, { tokens: Number.NaN }]) {
    assert.throws(() => team(1).run("go", { budget: budget as object }), { code: "invalid_argument" });
  }
});

test("[B1] A budget of cost says when a model's price is unknown: it cannot bind then", async () => {
  const warned = once(process, "warning");
  const modelId = "a-model-without-price";
  const result = await speaker("a", 1, { modelId }).run("go", { budget: { cost: 1 } }).result;
  assert.equal(result.cost, undefined);
  const [warning] = (await warned) as [Error & { code?: string }];
  assert.equal(warning.code, "WEFT_UNKNOWN_PRICE");
  assert.match(warning.message, /a-model-without-price.*setPrices/u);
});
