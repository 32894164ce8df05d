import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConversableAgent,
  GroupChat,
  GroupChatManager,
  UserProxyAgent,
  defineAgent,
  messageText,
  tool,
} from "@weft/agents";
import type { Agent, AgentEvent, GroupChatOptions, SelectionFunction } from "@weft/agents";
import { captureTraces, humanScript, scriptedModel, traceOf } from "@weft/agents/testing";
import { History, createAgentContext, createMessage, runTurn } from "@weft/runtime/agent";
import type { AgentMessage } from "@weft/runtime/agent";
import { SelectorTranscript, askSelector } from "../src/group/auto-selector.ts";
import type { ChatModel } from "../src/model/chat-model.ts";

/** An agent that says its name and how many messages it sees. */
function counter(name: string): Agent {
  return defineAgent({
    name,
    async *respond({ messages }) {
      yield `${name}:${messages.length}`;
    },
  });
}

function team(options: Partial<GroupChatOptions> = {}): GroupChat {
  return new GroupChat({
    agents: ["a", "b", "c"].map(counter),
    speakerSelection: "roundRobin",
    maxRound: 4,
    ...options,
  });
}

async function speakers(group: GroupChat, message = "go"): Promise<readonly (string | undefined)[]> {
  return (await group.run(message).result).history.map(({ name }) => name);
}

const add = tool({ name: "add", description: "adds", execute: () => 3 });

test("[G1] maxRound counts the opening, and every message reaches every member but its speaker", async () => {
  const result = await team({ maxRound: 5 }).run("go").result;
  assert.deepEqual(
    result.history.map(({ content }) => content),
    ["go", "a:1", "b:2", "c:3", "a:4"],
  );
  assert.equal(result.endedBy, "maxRound");
  assert.equal((await team({ maxRound: 1 }).run("go").result).history.length, 1);
});

test("[G2] A function decides alone; a stranger or another type is an error; null ends the chat", async () => {
  const pick =
    (answers: unknown[]): SelectionFunction =>
    () =>
      answers.shift() as string;
  const outsider = counter("outsider");
  assert.deepEqual(await speakers(team({ speakerSelection: pick(["b", "roundRobin", null]) })), [
    "user",
    "b",
    "c",
  ]);
  for (const bad of [outsider, "nobody", 7, undefined]) {
    await assert.rejects(team({ speakerSelection: pick([bad]) }).run("go").result, {
      code: "invalid_argument",
    });
  }
  const ended = await team({ speakerSelection: pick([null]) }).run("go").result;
  assert.equal(ended.endedBy, "noEligibleSpeaker");
});

test("[G2] Waiting tool calls narrow to who can run them; nobody with tools is an error", async () => {
  const caller = (): ConversableAgent => {
    const model = scriptedModel([{ toolCalls: [{ name: "add", arguments: {} }] }]);
    return new ConversableAgent({ name: "caller", model, humanInputMode: "NEVER" }).registerForLLM(add);
  };
  const runner = new ConversableAgent({ name: "runner", humanInputMode: "NEVER" }).registerForExecution(add);
  const group = team({ agents: [caller(), counter("b"), runner], maxRound: 3 });
  const result = await group.run("go").result;
  assert.deepEqual(
    result.history.map(({ name }) => name),
    ["user", "caller", "runner"],
  );
  assert.equal(result.history[2]?.toolResponses?.[0]?.content, "3");
  await assert.rejects(team({ agents: [caller(), counter("b")], maxRound: 4 }).run("go").result, {
    code: "failed_precondition",
    message: /Nobody in the group can run "add"/u,
  });
});

test("[G2] The last speaker leaves when it may not repeat", async () => {
  const same = team({ agents: [counter("a")], allowRepeatSpeaker: false });
  assert.equal((await same.run("go").result).endedBy, "noEligibleSpeaker");
  const [a, b] = [counter("a"), counter("b")];
  const random = team({ agents: [a, b], speakerSelection: "random", allowRepeatSpeaker: [], maxRound: 9 });
  const names = await speakers(random);
  for (let index = 2; index < names.length; index++) assert.notEqual(names[index], names[index - 1]);
});

test("[G3] A speaker without a key, or with an empty list, is a sink: the chat ends gracefully", async () => {
  for (const allowedTransitions of [
    { a: ["b"], c: ["a"] },
    { a: ["b"], b: [], c: ["a"] },
  ]) {
    const result = await team({ allowedTransitions, maxRound: 9 }).run("go").result;
    assert.deepEqual(
      result.history.map(({ name }) => name),
      ["user", "a", "b"],
    );
    assert.equal(result.endedBy, "noEligibleSpeaker");
  }
});

test("[G3] Disallowed transitions leave everyone else; AG2's spelling means the same", async () => {
  const table = { a: ["b"], b: ["a", "c"] };
  const ours = await speakers(team({ disallowedTransitions: table, maxRound: 5 }));
  const theirs = team({
    allowedOrDisallowedSpeakerTransitions: table,
    speakerTransitionsType: "disallowed",
    maxRound: 5,
  });
  assert.deepEqual(ours, ["user", "a", "c", "a", "c"]);
  assert.deepEqual(await speakers(theirs), ours);
});

test("[G3] Contradicting or broken transitions are errors before anything starts", () => {
  const bad: Partial<GroupChatOptions>[] = [
    { allowedTransitions: {}, disallowedTransitions: {} },
    { allowedTransitions: { a: ["b"] }, allowRepeatSpeaker: false },
    { allowedTransitions: { a: ["nobody"] } },
    { allowedTransitions: { nobody: ["a"] } },
    { allowedTransitions: { a: "b" as unknown as string[] } },
    { agents: [] },
    { agents: [counter("a"), counter("a")] },
    { maxRound: 0 },
  ];
  for (const options of bad) assert.throws(() => team(options), { code: "invalid_argument" });
});

test("[G4] A single eligible agent speaks without a model call", async () => {
  using selectorModel = scriptedModel([]);
  const group = team({
    speakerSelection: "auto",
    selectorModel,
    allowedTransitions: { a: ["b"], b: ["c"], c: ["a"] },
  });
  assert.deepEqual(
    (await group.run({ content: "go", name: "a" }).result).history.map(({ name }) => name),
    ["a", "b", "c", "a"],
  );
});

test("[G5] auto asks a model; several names or none are asked again, then the next in order speaks", async () => {
  using _ = captureTraces();
  using selectorModel = scriptedModel(["c", "b or c", "I think `b`", "nobody", "a and b", "b, a"]);
  const result = await team({ speakerSelection: "auto", selectorModel }).run("go").result;
  assert.deepEqual(
    result.history.map(({ name }) => name),
    ["user", "c", "b", "c"],
  );
  const selections = traceOf(result).find("select_speaker");
  assert.deepEqual(
    selections.map(({ attributes }) => [
      attributes["weft.selection.chosen"],
      attributes["weft.selection.fallback"],
    ]),
    [
      ["c", false],
      ["b", false],
      ["c", true],
    ],
  );
  assert.equal(selections[2]?.span.events.length, 3);
  assert.match(messageText(selectorModel.calls[2]!.messages.at(-1)!), /b and c/u);
});

test("[G5] A model with structured output is asked for one of the names", async () => {
  using selectorModel = scriptedModel(['{"speaker":"b"}'], { supportsStructuredOutput: true });
  const result = await team({ speakerSelection: "auto", selectorModel, maxRound: 2 }).run("go").result;
  assert.equal(result.history[1]?.name, "b");
  assert.deepEqual(selectorModel.calls[0]?.responseFormat?.schema["properties"], {
    speaker: { type: "string", enum: ["a", "b", "c"] },
  });
});

test("[G5] auto without a model is an error that says what to give", async () => {
  await assert.rejects(team({ speakerSelection: "auto" }).run("go").result, { message: /selectorModel/u });
});

test("[G5] A choice costs what is new, however long the chat is", async () => {
  class CountingHistory extends History {
    reads = 0;

    override get messages(): readonly AgentMessage[] {
      this.reads++;
      return super.messages;
    }
  }
  const log = new CountingHistory();
  const transcript = new SelectorTranscript(log);
  const asked: { readonly list: readonly AgentMessage[]; readonly texts: readonly string[] }[] = [];
  const model: ChatModel = {
    provider: "test",
    modelId: "chooser",
    async generate({ messages }) {
      asked.push({ list: messages, texts: messages.slice(-3).map(messageText) });
      const text = asked.length % 2 === 0 ? "b" : "nobody";
      return { text, toolCalls: [], finishReason: "stop" };
    },
    stream: () => assert.fail("a selection is not streamed"),
  };
  const { signal } = new AbortController();
  const rest = { maxRetries: 1, signal, meter: undefined, journal: undefined, name: "group" };
  const told = { onUsage: () => undefined, onAttempt: () => undefined };
  const candidates = ["a", "b"].map(counter);
  for (let turn = 1; turn <= 200; turn++) {
    log.append(createMessage({ content: `said ${turn}`, name: "a" }));
    const before = log.reads;
    await askSelector({ model, candidates, transcript: transcript.catchUp(), ...rest, ...told });
    assert.equal(log.reads - before, 1, `messages of the chat that turn ${turn} looked at`);
  }
  // One list, that is never copied; what was asked at its end went with the next choice.
  assert.equal(new Set(asked.map(({ list }) => list)).size, 1);
  const [first, second] = asked.slice(-2);
  assert.deepEqual(first!.texts.slice(0, 2), ["a: said 199", "a: said 200"]);
  assert.match(first!.texts[2]!, /^Who of a, b/);
  assert.match(second!.texts.join("\n"), /^Who of a, b.*\nnobody\nYou named none/);
});

test("[G6] manual: a number or a name; an empty answer or three bad ones leave it to the model", async () => {
  using humanInput = humanScript(["2", "c", "", "x", "9", "nobody"]);
  using selectorModel = scriptedModel(["a", "b"]);
  const group = team({ speakerSelection: "Manual", humanInput, selectorModel, maxRound: 5 });
  assert.deepEqual(await speakers(group), ["user", "b", "c", "a", "b"]);
});

test("[G6] Method names are read whatever their case; an unknown one is an error", async () => {
  assert.deepEqual(await speakers(team({ speakerSelection: "ROUND_ROBIN", maxRound: 3 })), [
    "user",
    "a",
    "b",
  ]);
  assert.throws(() => team({ speakerSelection: "clever" }), { code: "invalid_argument", message: /clever/u });
});

test("[G7] Introductions reach the members before the opening", async () => {
  const result = await team({ sendIntroductions: true, maxRound: 2 }).run("go").result;
  assert.match(messageText(result.history[0]!), /a\nb\nc/u);
  assert.equal(result.history[2]?.content, "a:2");
});

test("[G7] A group is a member of another group", async () => {
  using _ = captureTraces();
  const inner = team({ name: "inner", maxRound: 3 });
  const outer = new GroupChat({
    name: "outer",
    agents: [inner, counter("z")],
    speakerSelection: "roundRobin",
    maxRound: 4,
  });
  const run = outer.run("go");
  const events: AgentEvent[] = [];
  for await (const event of run) events.push(event);
  const result = await run.result;
  assert.deepEqual(
    result.history.map((message) => `${message.name}=${messageText(message)}`),
    ["user=go", "inner=b:2", "z=z:2", "inner=b:5"],
  );
  const paths = events
    .filter(({ type }) => type === "message")
    .map(({ from, path }) => [...path, from].join("/"));
  assert.deepEqual(paths, ["inner/a", "inner/b", "inner", "z", "inner/a", "inner/b", "inner"]);
  const trace = traceOf(result);
  assert.equal(trace.orphans.length, 0);
  assert.equal(trace.root.name, "invoke_workflow outer");
  assert.equal(trace.find("invoke_workflow inner").length, 2);
});

test("[G7] A chat is resumed from its messages, and a termination word may be taken out", async () => {
  const first = await team({ maxRound: 3 }).run("go").result;
  const later = await team({ maxRound: 3 }).resume(JSON.stringify(first.history)).result;
  assert.deepEqual(
    later.history.map(({ name }) => name),
    ["user", "a", "b", "c", "a"],
  );
  const done = [
    { role: "user", content: "go" },
    { role: "assistant", name: "b", content: "fine TERMINATE" },
  ];
  const resumed = await team({ maxRound: 2 }).resume(done, { removeTermination: "TERMINATE" }).result;
  assert.equal(resumed.history[1]?.content, "fine");
  assert.equal(resumed.history[2]?.name, "c");
  for (const bad of [[], "no json", "{}", [{ role: "assistant", name: "stranger", content: "x" }], [7]]) {
    assert.throws(() => team().resume(bad), { code: "invalid_argument" });
  }
});

test("[G8] A termination message ends the chat, and so does a member without a reply", async () => {
  const ender = defineAgent({
    name: "ender",
    async *respond() {
      yield "TERMINATE";
    },
  });
  assert.equal(
    (await team({ agents: [counter("a"), ender], maxRound: 9 }).run("go").result).endedBy,
    "termination",
  );
  const mute = defineAgent({
    name: "mute",
    async *respond() {
      /* nothing to say */
    },
  });
  assert.equal((await team({ agents: [mute], maxRound: 9 }).run("go").result).endedBy, "noReply");
  const broken = defineAgent({
    name: "broken",
    async *respond({ messages }) {
      if (messages.length > 0) throw new TypeError("broken inside");
      yield "";
    },
  });
  await assert.rejects(
    team({ agents: [counter("a"), broken], maxRound: 9 }).run("go").result,
    (error: Error) => {
      const { result } = error as Error & { result: { endedBy: string; history: unknown[] } };
      assert.equal(result.endedBy, "error");
      assert.equal(result.history.length, 2);
      return true;
    },
  );
});

test("A user starts a group through its manager and may be one of its members", async () => {
  using _ = captureTraces();
  using humanInput = humanScript(["exit"]);
  using model = scriptedModel(["planner", "user_proxy"]);
  const user = new UserProxyAgent({ name: "user_proxy", humanInput });
  const groupChat = new GroupChat({ agents: [user, counter("planner")] });
  const chat = await user.initiateChat(new GroupChatManager({ groupChat, model }), { message: "plan" });
  assert.deepEqual(
    chat.history.map(({ name, role }) => `${name}:${role}`),
    ["user_proxy:assistant", "planner:user"],
  );
  assert.equal(chat.endedBy, "human");
  const trace = traceOf(chat);
  assert.equal(
    trace.toText(),
    [
      "conversation user_proxy",
      "  invoke_workflow chat_manager",
      "    select_speaker chat_manager",
      "      chat scripted",
      "    invoke_agent planner",
      "    select_speaker chat_manager",
      "      chat scripted",
      "    invoke_agent user_proxy",
      "      await_human_input user_proxy",
    ].join("\n"),
  );
});

test("Selection is told: candidates, who was left out and why, and in an event", async () => {
  using _ = captureTraces();
  const group = team({ allowedTransitions: { a: ["b", "c"], b: ["c"], c: ["a"] }, maxRound: 3 });
  const run = group.run({ content: "go", name: "a" });
  const selected: unknown[] = [];
  for await (const event of run)
    if (event.type === "speaker-selected") selected.push([event.candidates, event.chosen]);
  assert.deepEqual(selected, [
    [["b", "c"], "b"],
    [["c"], "c"],
  ]);
  const [first] = traceOf(await run.result).find("select_speaker");
  assert.deepEqual(first?.attributes["weft.selection.excluded"], ["a: no transition from a"]);
  assert.equal(first?.attributes["weft.selection.method"], "roundRobin");
});

test("Usage of speaker selection counts, under the group's name", async () => {
  const selectorModel = scriptedModel([{ text: "a", usage: { inputTokens: 5, outputTokens: 1 } }]);
  const { usage } = await team({ speakerSelection: "auto", selectorModel, maxRound: 2 }).run("go").result;
  assert.equal(usage.totalTokens, 6);
  assert.equal(usage.byAgent["group"]?.totalTokens, 6);
});

test("[T3] A group counts automatic replies within one chat; asked again, its members start anew", async () => {
  const member = new ConversableAgent({
    name: "member",
    humanInputMode: "NEVER",
    maxConsecutiveAutoReply: 2,
    defaultAutoReply: "word",
  });
  const alone = await team({ agents: [member], maxRound: 9 }).run("go").result;
  assert.equal(alone.endedBy, "maxAutoReply");
  assert.equal(alone.history.length, 3);
  const inner = team({ name: "inner", agents: [member], maxRound: 3 });
  const outer = team({ name: "outer", agents: [inner, counter("z")], maxRound: 8 });
  assert.equal((await outer.run("go").result).endedBy, "maxRound");
});

test("[T3] A served agent answers for as long as it is asked", async () => {
  const agent = new ConversableAgent({
    name: "served",
    humanInputMode: "NEVER",
    maxConsecutiveAutoReply: 2,
    defaultAutoReply: "word",
  });
  const context = createAgentContext();
  for (let turn = 0; turn < 5; turn++) {
    const newFrom = context.history.length;
    context.history.append(createMessage("next?"));
    const request = { messages: context.history.messages, newFrom, contextVariables: {} };
    let reply: AgentEvent | undefined;
    for await (const event of runTurn(agent, request, context, { turn: turn + 1 })) reply = event;
    assert.equal(reply?.type, "message");
  }
});
