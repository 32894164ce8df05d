import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AssistantAgent,
  ConversableAgent,
  GroupChat,
  ReplyResult,
  UserProxyAgent,
  defineAgent,
  handoff,
  modelGuardrail,
  regexGuardrail,
  remoteAgent,
  target,
  tool,
} from "@weft/agents";
import type { Agent, ChatResult, ConversableAgentOptions, GroupChatOptions } from "@weft/agents";
import { captureTraces, humanScript, scriptedModel, traceOf } from "@weft/agents/testing";
import { serve } from "@weft/runtime";

const agent = (
  name: string,
  script: Parameters<typeof scriptedModel>[0],
  more: Partial<ConversableAgentOptions> = {},
) => new AssistantAgent({ name, model: scriptedModel(script), ...more });

/** Says its name and how often it spoke. */
const counter = (name: string, more: Partial<ConversableAgentOptions> = {}): ConversableAgent => {
  let count = 0;
  const spoken = new ConversableAgent({ name, humanInputMode: "NEVER", ...more });
  return spoken.registerReply(
    () => true,
    () => ({ final: true, reply: `${name}${++count}` }),
  );
};

const say = (chat: ChatResult): readonly unknown[] => chat.history.slice(1).map(({ content }) => content);

const group = (agents: readonly Agent[], more: Partial<GroupChatOptions> = {}): GroupChat =>
  new GroupChat({ agents, speakerSelection: "handoffs", maxRound: 8, ...more });

const call = (name: string, args: object = {}) => ({ toolCalls: [{ name, arguments: args }] });

test("[H1] Each target sends the conversation where it says", async () => {
  const cases: [Partial<ConversableAgentOptions>, Partial<GroupChatOptions>, readonly string[], string][] = [
    [{ afterWork: "b" }, {}, ["a1", "b1"], "termination"],
    [{ afterWork: target.terminate }, { afterWork: "b" }, ["a1"], "termination"],
    [{ afterWork: target.stay }, { maxRound: 4 }, ["a1", "a2", "a3"], "maxRound"],
    [{ afterWork: target.random }, {}, ["a1", "b1"], "termination"],
    [{ afterWork: target.by(({ agents }) => agents[1] ?? null) }, {}, ["a1", "b1"], "termination"],
    [{ afterWork: target.by(() => null) }, {}, ["a1"], "termination"],
    [{ afterWork: target.manager }, { selectorModel: scriptedModel(["b"]) }, ["a1", "b1"], "termination"],
    [{ afterWork: target.askUser }, { humanInput: humanScript(["2"]) }, ["a1", "b1"], "termination"],
  ];
  for (const [own, groups, said, endedBy] of cases) {
    const chat = await group([counter("a", own), counter("b")], groups).run("go").result;
    assert.deepEqual([say(chat), chat.endedBy], [said, endedBy], JSON.stringify(own));
  }
});

test("[H1] Reverting to the user asks the group's user", async () => {
  using humanInput = humanScript(["thanks", "exit"]);
  const user = new UserProxyAgent({ name: "user", humanInput });
  const chat = await group([counter("a", { afterWork: target.revertToUser })], {
    user,
    initialAgent: "a",
  }).run("go").result;
  assert.deepEqual(say(chat), ["a1", "thanks", "a2"]);
  assert.equal(chat.endedBy, "human");
});

test("[H1] Nested chats say their last summary, and the conversation returns to their parent", async () => {
  const expert = agent("expert", ["It is 42."]);
  const a = counter("a", {
    afterWork: target.nested([{ recipient: expert, message: "What is it?", maxTurns: 1 }]),
  });
  const chat = await group([a], { maxRound: 4 }).run("go").result;
  assert.deepEqual(say(chat), ["a1", "It is 42.", "a2"]);
});

test("[H1] Patterns: what the method is decides when nothing else did", async () => {
  const roundRobin = await group(
    [counter("a", { afterWork: [handoff("a", { when: ({ again }) => again === true })] }), counter("b")],
    {
      speakerSelection: "roundRobin",
      maxRound: 4,
    },
  ).run("go").result;
  assert.deepEqual(say(roundRobin), ["a1", "b1", "a2"]);
  const auto = await group([counter("a"), counter("b")], {
    speakerSelection: "auto",
    selectorModel: scriptedModel(["b"]),
    initialAgent: "a",
    maxRound: 3,
  }).run("go").result;
  assert.deepEqual(say(auto), ["a1", "b1"]);
  const ended = await group([counter("a"), counter("b")], { speakerSelection: "default" }).run("go").result;
  assert.deepEqual([say(ended), ended.endedBy], [["a1"], "termination"]);
});

test("[H1] A target outside the group is an error, and so is a user that is not there", () => {
  const bad: Partial<ConversableAgentOptions>[] = [
    { afterWork: "stranger" },
    { handoffs: [handoff("stranger", { prompt: "go" })] },
    { afterWork: target.revertToUser },
    { guardrails: [regexGuardrail({ name: "g", on: "input", pattern: "x", target: "stranger" })] },
  ];
  for (const options of bad)
    assert.throws(() => group([counter("a", options)]), { code: "invalid_argument" });
  assert.throws(() => group([counter("a")], { initialAgent: "stranger" }), { code: "invalid_argument" });
  assert.throws(() => handoff("a", {} as { prompt: string }), { code: "invalid_argument" });
  assert.throws(() => handoff(7 as unknown as string, { prompt: "x" }), { code: "invalid_argument" });
});

test("[H2] The first turn is the initial agent's, waiting calls go to who can run them, results to who asked", async () => {
  const add = tool({ name: "add", description: "adds", execute: () => 5 });
  const asker = agent("asker", [call("add"), "five"], { afterWork: target.terminate });
  asker.registerForLLM(add);
  const runner = new ConversableAgent({ name: "runner", humanInputMode: "NEVER" }).registerForExecution(add);
  const chat = await group([runner, counter("idle"), asker], { initialAgent: asker }).run("go").result;
  assert.deepEqual(
    chat.history.map(({ name }) => name),
    ["user", "asker", "runner", "asker"],
  );
  assert.equal(chat.text, "five");
});

test("[H2] A tool's target comes before after-work; the group's after-work is the last word", async () => {
  const send = tool({
    name: "send",
    description: "sends",
    execute: () => new ReplyResult({ message: "sent", target: "c" }),
  });
  const a = agent("a", [call("send")], { tools: [send], afterWork: "b" });
  const chat = await group([a, counter("b"), counter("c")], { initialAgent: "a" }).run("go").result;
  assert.deepEqual(say(chat), ["sent", "c1"]);
  const groups = await group([counter("a"), counter("b")], {
    initialAgent: "a",
    afterWork: "b",
    maxRound: 3,
  }).run("go").result;
  assert.deepEqual(say(groups), ["a1", "b1"]);
});

test("[H3] Context conditions are taken before anyone speaks, without a model", async () => {
  const model = scriptedModel([]);
  const a = new AssistantAgent({
    name: "a",
    model,
    handoffs: [handoff("b", { when: ({ vip }) => vip === true })],
  });
  const run = group([a, counter("b")], { initialAgent: "a" }).run("go", { contextVariables: { vip: true } });
  const events: string[] = [];
  for await (const event of run) if (event.type === "handoff") events.push(`${event.from}->${event.to}`);
  assert.deepEqual(say(await run.result), ["b1"]);
  assert.deepEqual(events, ["a->b"]);
  assert.equal(model.calls.length, 0);
});

test("[H3] Context conditions that go round without anyone speaking are an error, not a hang", async () => {
  const always = { when: () => true };
  const chat = group([
    counter("a", { handoffs: [handoff("b", always)] }),
    counter("b", { handoffs: [handoff("a", always)] }),
  ]);
  await assert.rejects(chat.run("go").result, { code: "failed_precondition", message: /a -> b -> a/u });
});

test("[H3] Model conditions are tools whose availability is asked every turn and whose plumbing no model sees again", async () => {
  let isOpen = false;
  const seen: (readonly string[])[] = [];
  const shown: string[] = [];
  const note =
    (reply: Parameters<typeof scriptedModel>[0][number]) =>
    (request: Parameters<Extract<typeof reply, (...given: never[]) => unknown>>[0]) => {
      seen.push((request.tools ?? []).map(({ name }) => name));
      shown.push(JSON.stringify(request.messages));
      return reply as string;
    };
  const a = agent("a", [note("not yet"), note(call("transfer_to_b")), note("done")], {
    handoffs: [handoff("b", { prompt: "When b should take over" }, { available: () => isOpen })],
    afterWork: [handoff(target.stay, { when: () => !isOpen && (isOpen = true) }), target.terminate],
  });
  const b = counter("b", { afterWork: "a" });
  const chat = await group([a, b], { initialAgent: "a" }).run("go").result;
  assert.deepEqual(seen, [[], ["transfer_to_b"], ["transfer_to_b"]]);
  assert.equal(chat.text, "done");
  assert.ok(!shown[2]?.includes("transfer_to_b"), shown[2]);
  assert.deepEqual(
    chat.history.map(({ name }) => name),
    ["user", "a", "a", "b", "a"],
  );
  const handed = chat.history[2];
  assert.deepEqual(handed?.metadata, { handoff: "b" });
});

test("[H4] Context variables are one object for all members and their tools, and cross A2A", async () => {
  const seen: unknown[] = [];
  const set = tool({
    name: "set",
    description: "sets",
    execute: (_, { contextVariables }) => {
      seen.push({ ...contextVariables });
      return new ReplyResult({ message: "set", contextVariables: { colour: "red" } });
    },
  });
  const model = scriptedModel([call("set"), "ok"]);
  await using service = await serve(new AssistantAgent({ name: "far", model, tools: [set] }), {
    port: 0,
    host: "127.0.0.1",
  });
  await using far = await remoteAgent(service.url, { name: "far" });
  const near = defineAgent({
    name: "near",
    async *respond({ contextVariables }) {
      yield `it is ${String(contextVariables["colour"])}`;
    },
  });
  const chat = await new GroupChat({
    agents: [far, near],
    speakerSelection: "roundRobin",
    maxRound: 3,
    contextVariables: { size: 1 },
  }).run("go", {
    contextVariables: { user: "x" },
  }).result;
  assert.equal(chat.text, "it is red");
  assert.deepEqual(chat.contextVariables, { size: 1, user: "x", colour: "red" });
  assert.deepEqual(seen, [{ size: 1, user: "x" }]);
  assert.ok(!JSON.stringify(model.calls).includes("colour"));
});

test("[H5] A guardrail on the input replaces the reply and may redirect", async () => {
  using _ = captureTraces();
  const model = scriptedModel([]);
  const guarded = new AssistantAgent({
    name: "a",
    model,
    guardrails: [
      regexGuardrail({
        name: "secrets",
        on: "input",
        pattern: /password/giu,
        message: "I cannot talk about that.",
        target: "b",
      }),
    ],
  });
  const chat = await group([guarded, counter("b")], { initialAgent: "a" }).run("My password is x").result;
  assert.deepEqual(say(chat), ["I cannot talk about that.", "b1"]);
  const [span] = traceOf(chat).find("guardrail secrets");
  assert.deepEqual(
    [
      span?.attributes["weft.guardrail.matched"],
      span?.attributes["weft.guardrail.action"],
      span?.attributes["weft.guardrail.side"],
    ],
    [true, "to b", "input"],
  );
});

test("[H5] A guardrail on the output takes back what was shown; a model may be the judge", async () => {
  const judge = scriptedModel([
    { text: '{"caught": true, "reason": "rude"}', usage: { inputTokens: 3, outputTokens: 2 } },
    "no",
  ]);
  const guarded = agent("a", [{ text: "You fool", usage: { inputTokens: 1, outputTokens: 1 } }, "Hello"], {
    guardrails: [
      modelGuardrail({
        name: "polite",
        on: "output",
        model: judge,
        condition: "it is rude",
        message: "Sorry.",
      }),
    ],
  });
  const run = guarded.run("Hi");
  let shown = "";
  for await (const event of run) {
    if (event.type === "text-delta") shown += event.text;
    if (event.type === "reset") shown = "";
  }
  const chat = await run.result;
  assert.equal(chat.text, "Sorry.");
  assert.equal(shown, "");
  assert.equal(chat.usage.totalTokens, 7);
  assert.equal((await guarded.run("Hi").result).text, "Hello");
});

test("[O3] Results may redirect: calls then run one at a time, each sees the variables before, the last target wins", async () => {
  const order: string[] = [];
  const step = (name: string, to: string, ms: number) =>
    tool({
      name,
      description: name,
      execute: async (_, { contextVariables }) => {
        order.push(`${name} sees ${String(contextVariables["by"])}`);
        await new Promise((resolve) => setTimeout(resolve, ms));
        order.push(`${name} done`);
        return new ReplyResult({ message: name, target: to, contextVariables: { by: name } });
      },
    });
  const both = {
    toolCalls: [
      { name: "one", arguments: {} },
      { name: "two", arguments: {} },
    ],
  };
  const a = agent("a", [both], { tools: [step("one", "b", 20), step("two", "c", 1)] });
  const chat = await group([a, counter("b"), counter("c")], { initialAgent: "a" }).run("go").result;
  assert.deepEqual(order, ["one sees undefined", "one done", "two sees one", "two done"]);
  assert.deepEqual(say(chat), ["two", "c1"]);
  assert.equal(chat.contextVariables["by"], "two");
});

test("[O3] A tool's target outside the group is an error; terminate ends a chat of two", async () => {
  const to = (where: string | typeof target.terminate) =>
    tool({
      name: "send",
      description: "sends",
      execute: () => new ReplyResult({ message: "sent", target: where }),
    });
  const lost = agent("a", [call("send")], { tools: [to("stranger")] });
  await assert.rejects(group([lost, counter("b")]).run("go").result, {
    code: "invalid_argument",
    message: /stranger/u,
  });
  const ends = agent("a", [call("send")], { tools: [to(target.terminate)] });
  const chat = await counter("b").initiateChat(ends, { message: "Hi", maxTurns: 5 });
  assert.deepEqual([chat.text, chat.endedBy], ["sent", "termination"]);
});
