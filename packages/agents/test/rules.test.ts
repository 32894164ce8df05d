import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversableAgent, GroupChat, defineAgent, messageText, tool } from "@weft/agents";
import type { Agent, ChatResult } from "@weft/agents";
import { captureTraces, humanScript, scriptedModel, traceOf } from "@weft/agents/testing";

const quiet = (name: string, script: Parameters<typeof scriptedModel>[0]): ConversableAgent =>
  new ConversableAgent({ name, model: scriptedModel(script), humanInputMode: "NEVER" });

test("[M1] A message with nothing in it is rejected; an empty text is content", async () => {
  const bob = quiet("bob", ["b1", "b2"]);
  await assert.rejects(quiet("alice", []).initiateChat(bob, { message: { content: null }, maxTurns: 1 }), {
    code: "invalid_argument",
  });
  const chat = await quiet("alice", []).initiateChat(bob, { message: "", maxTurns: 1 });
  assert.equal(chat.history[0]?.content, "");
});

test("[M3] Messages are frozen: no history can change another's", async () => {
  const chat = await quiet("alice", []).initiateChat(quiet("bob", ["b1"]), { message: "Hi", maxTurns: 1 });
  for (const message of chat.history) assert.ok(Object.isFrozen(message));
});

test("[M4] Circular, BigInt and 10 MB content never throws inside tracing", async () => {
  using _ = captureTraces();
  const circular: Record<string, unknown> = { big: 7n };
  circular["self"] = circular;
  for (const content of [circular, "x".repeat(10_000_000), [{ type: "data", data: circular }]]) {
    const agent = defineAgent({
      name: "echo",
      async *respond({ messages }) {
        yield { content: messages.at(-1)?.content };
      },
    });
    const group = new GroupChat({ agents: [agent], speakerSelection: "roundRobin", maxRound: 2 });
    const result = await group.run({ content }).result;
    assert.deepEqual(result.history[1]?.content, result.history[0]?.content);
    const written = JSON.stringify(traceOf(result).root.attributes);
    assert.ok(written.length < 1_000_000);
  }
});

test("[C1] The opening may be a function, or asked of the human", async () => {
  const bob = quiet("bob", ["b1", "b2"]);
  const alice = quiet("alice", []);
  const asked = await alice.initiateChat(bob, {
    message: (sender, recipient, context) =>
      `${sender.name} to ${recipient.name}: ${String(context["topic"])}`,
    contextVariables: { topic: "tea" },
    maxTurns: 1,
  });
  assert.equal(asked.history[0]?.content, "alice to bob: tea");
  using humanInput = humanScript(["from a human"]);
  const user = new ConversableAgent({ name: "user", humanInput });
  const chat = await user.initiateChat(bob, { maxTurns: 1 });
  assert.equal(chat.history[0]?.content, "from a human");
  assert.equal(chat.humanInput.length, 1);
  await assert.rejects(alice.initiateChat(bob, { maxTurns: 1 }), {
    code: "invalid_argument",
    message: /humanInput/u,
  });
});

test("[C1] A chat with oneself, a namesake or nobody, and a bad maxTurns, are errors", async () => {
  const alice = quiet("alice", []);
  for (const recipient of [alice, quiet("alice", []), {} as Agent]) {
    await assert.rejects(alice.initiateChat(recipient, { message: "Hi" }), { code: "invalid_argument" });
  }
  for (const maxTurns of [0, -1, 1.5, Number.NaN]) {
    await assert.rejects(alice.initiateChat(quiet("bob", []), { message: "Hi", maxTurns }), {
      code: "invalid_argument",
    });
  }
});

test("Bad agent options are errors that name the option", () => {
  const bad: [object, RegExp][] = [
    [{ name: "" }, /name/u],
    [{ name: "a", humanInputMode: "SOMETIMES" }, /humanInputMode/u],
    [{ name: "a", maxConsecutiveAutoReply: -1 }, /maxConsecutiveAutoReply/u],
    [{ name: "a", maxToolRounds: 0.5 }, /maxToolRounds/u],
    [{ name: "a", llmConfig: {} }, /model/u],
    [{ name: "a", model: {} }, /model/u],
    [{ name: "a", tools: [{}] }, /tool/u],
    [{ name: "a", hooks: { unheardOf: () => undefined } }, /unheardOf/u],
  ];
  for (const [options, message] of bad) {
    assert.throws(() => new ConversableAgent(options as { name: string }), {
      code: "invalid_argument",
      message,
    });
  }
  assert.doesNotThrow(
    () => new ConversableAgent({ name: "a", llmConfig: false, isTerminationMsg: () => false }),
  );
});

test("[N1] A function of the user's that ignores the signal does not hold a cancelled run", async () => {
  const group = new GroupChat({
    agents: [quiet("a", [])],
    speakerSelection: () => new Promise(() => undefined),
  });
  const run = group.run("go");
  run.cancel("enough");
  await assert.rejects(run.result, { name: "AbortError", cause: "enough" });
});

test("[N1] A rejection that nobody reads never ends the process", async () => {
  void quiet("a", [{ error: new TypeError("unread") }]).run("go");
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
});

test("[K1] With tracing on and off, results, histories, usage and errors are the same", async () => {
  const add = tool({ name: "add", description: "adds", execute: () => 5 });
  const usage = { inputTokens: 4, outputTokens: 1 };
  const scenario = async (): Promise<unknown> => {
    const model = scriptedModel([
      { toolCalls: [{ name: "add", arguments: {} }], usage },
      { text: "5", usage },
    ]);
    const calc = new ConversableAgent({ name: "calc", model, tools: [add], humanInputMode: "NEVER" });
    const selectorModel = scriptedModel([{ text: "calc", usage }, "judge", "neither"]);
    const judge = quiet("judge", ["fine", { error: new TypeError("judge is ill") }]);
    const allowedTransitions = { calc: ["calc", "judge"], judge: ["judge", "calc"] };
    const team = new GroupChat({
      agents: [calc, judge],
      selectorModel,
      allowedTransitions,
      maxSelectionRetries: 0,
    });
    const run = team.run("2+3?", { conversationId: "c" });
    const events: string[] = [];
    const error = await (async () => {
      for await (const event of run) events.push(`${event.type} ${event.from} ${event.turn}`);
    })().catch((thrown: unknown) => thrown as Error & { result: ChatResult });
    assert.ok(error instanceof Error);
    const { history, traceId: _, ...result } = error.result;
    return {
      said: history.map((each) => [each.name, each.role, messageText(each)]),
      result,
      events,
      message: error.message,
    };
  };
  const off = await scenario();
  using _ = captureTraces();
  assert.deepEqual(await scenario(), off);
});
