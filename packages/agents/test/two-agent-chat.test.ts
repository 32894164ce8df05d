import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { AssistantAgent, ConversableAgent, UserProxyAgent, messageText, tool } from "@weft/agents";
import { captureTraces, humanScript, scriptedModel, traceOf } from "@weft/agents/testing";

const add = tool({
  name: "add",
  description: "adds two numbers",
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => a + b,
});

function speaker(
  name: string,
  script: Parameters<typeof scriptedModel>[0],
  options: object = {},
): ConversableAgent {
  return new ConversableAgent({ name, model: scriptedModel(script), humanInputMode: "NEVER", ...options });
}

const quiet = (name: string, script: string[]): ConversableAgent =>
  new ConversableAgent({ name, model: scriptedModel(script), humanInputMode: "NEVER" });

test("[O1] An agent alone runs its tools in its own turn and answers", async () => {
  using model = scriptedModel([{ toolCalls: [{ name: "add", arguments: { a: 2, b: 3 } }] }, "It is 5."]);
  const alice = new ConversableAgent({ name: "alice", model, tools: [add] });
  const result = await alice.run("What is 2+3?").result;
  assert.equal(result.text, "It is 5.");
  assert.equal(result.endedBy, "termination");
  assert.deepEqual(
    result.history.map(({ role, name }) => [role, name]),
    [
      ["user", "user"],
      ["assistant", "alice"],
    ],
  );
  assert.equal(model.calls[1]?.messages.at(-1)?.toolResponses?.[0]?.content, "5");
  assert.equal(result.traceId, undefined);
});

test("[O1] After maxToolRounds the model is asked once more, without tools", async () => {
  const again = { toolCalls: [{ name: "add", arguments: { a: 1, b: 1 } }] };
  using model = scriptedModel([again, again, "Enough."]);
  const agent = new ConversableAgent({ name: "a", model, tools: [add], maxToolRounds: 2 });
  assert.equal((await agent.run("go").result).text, "Enough.");
  assert.deepEqual(
    model.calls.map(({ tools }) => tools?.length ?? 0),
    [1, 1, 0],
  );
});

test("[C1] maxTurns counts round trips: two messages each", async () => {
  const alice = speaker("alice", ["a1", "a2"]);
  const bob = speaker("bob", ["b1", "b2", "b3"]);
  const chat = await alice.initiateChat(bob, { message: "Hi Bob", maxTurns: 2 });
  assert.deepEqual(
    chat.history.map(({ content }) => content),
    ["Hi Bob", "b1", "a1", "b2"],
  );
  assert.equal(chat.endedBy, "maxTurns");
  assert.equal(chat.summary, "b2");
});

test("[M3] Each sees its own messages as assistant and the other's as user", async () => {
  const alice = speaker("alice", ["a1"]);
  const bob = speaker("bob", ["b1", "b2"]);
  const chat = await alice.initiateChat(bob, { message: "Hi", maxTurns: 2 });
  const roles = (messages: typeof chat.history): unknown =>
    messages.map(({ role, name }) => `${name}:${role}`);
  assert.deepEqual(roles(chat.history), ["alice:assistant", "bob:user", "alice:assistant", "bob:user"]);
  assert.deepEqual(roles(bob.chatMessages(alice)), [
    "alice:user",
    "bob:assistant",
    "alice:user",
    "bob:assistant",
  ]);
  assert.deepEqual(roles(alice.chatMessages(bob)), roles(chat.history));
  assert.equal(alice.lastMessage(bob)?.content, "b2");
});

test("[M2] clearHistory false goes on from the last ended chat of the two", async () => {
  const alice = speaker("alice", []);
  const bob = speaker("bob", ["b1", "b2"]);
  await alice.initiateChat(bob, { message: "one", maxTurns: 1 });
  const chat = await alice.initiateChat(bob, { message: "two", maxTurns: 1, clearHistory: false });
  assert.deepEqual(
    chat.history.map(({ content }) => content),
    ["one", "b1", "two", "b2"],
  );
});

test("[T1] The exact word ends a chat, a text that speaks of it does not", async () => {
  const alice = speaker("alice", ["I will say TERMINATE later", " TERMINATE\n"]);
  const bob = speaker("bob", ["b1", "b2"]);
  const chat = await alice.initiateChat(bob, { message: "Hi" });
  assert.equal(chat.endedBy, "termination");
  assert.equal(chat.history.length, 5);
});

test("[T2] A human proxy is asked at every message; exit ends the chat", async () => {
  using human = humanScript(["more", "", "exit"]);
  const user = new UserProxyAgent({ name: "user_proxy", humanInput: human, defaultAutoReply: "go on" });
  const bot = new AssistantAgent({ name: "bot", model: scriptedModel(["1", "2", "3"]) });
  const chat = await user.initiateChat(bot, { message: "start" });
  assert.deepEqual(
    chat.history.map(({ content }) => content),
    ["start", "1", "more", "2", "go on", "3"],
  );
  assert.equal(chat.endedBy, "human");
  assert.deepEqual(
    chat.humanInput.map(({ answer }) => answer),
    ["more", "", "exit"],
  );
});

test("[T2] In mode TERMINATE without anyone to ask, a termination message ends the chat", async () => {
  const alice = new ConversableAgent({ name: "alice", model: scriptedModel([]) });
  const bob = speaker("bob", ["TERMINATE"]);
  assert.equal((await alice.initiateChat(bob, { message: "Hi" })).endedBy, "termination");
});

test("[T2] A human who cannot be asked suspends the chat", async () => {
  const user = new UserProxyAgent({ name: "human" });
  const bot = speaker("bot", ["a question"]);
  const chat = await user.initiateChat(bot, { message: "Hi" });
  assert.equal(chat.endedBy, "suspended");
  assert.equal(chat.pending[0]?.agent, "human");
});

test("[T3] maxConsecutiveAutoReply ends a chat, and a new chat counts anew", async () => {
  const alice = speaker("alice", ["a1", "a2", "a3", "a4"], { maxConsecutiveAutoReply: 2 });
  const bob = speaker(
    "bob",
    Array.from({ length: 6 }, (_, index) => `b${index}`),
  );
  for (let round = 0; round < 2; round++) {
    const chat = await alice.initiateChat(bob, { message: "Hi", maxTurns: 10 });
    assert.equal(chat.endedBy, "maxAutoReply");
    assert.equal(chat.history.length, 6);
  }
});

test("[T3] A human's reply is no automatic one: after it the automatic ones are counted anew", async () => {
  const user = new ConversableAgent({
    name: "user",
    model: scriptedModel(["u1", "u2"]),
    humanInput: humanScript(["go on", "exit"]),
    maxConsecutiveAutoReply: 1,
  });
  const chat = await user.initiateChat(quiet("bob", ["b1", "b2", "b3", "b4"]), { message: "Hi" });
  assert.deepEqual(
    chat.history.map((message) => messageText(message)),
    ["Hi", "b1", "u1", "b2", "go on", "b3", "u2", "b4"],
  );
});

test("[T3] With 0 there is no automatic reply at all", async () => {
  const bob = speaker("bob", [], { maxConsecutiveAutoReply: 0 });
  const chat = await speaker("alice", []).initiateChat(bob, { message: "Hi", maxTurns: 2 });
  assert.equal(chat.endedBy, "maxAutoReply");
  assert.equal(chat.history.length, 1);
});

test("[T4] A human's text answers waiting tool calls as interrupted", async () => {
  using human = humanScript(["stop that", "exit"]);
  const user = new UserProxyAgent({ name: "human", humanInput: human });
  using model = scriptedModel([{ toolCalls: [{ id: "c1", name: "add", arguments: {} }] }, "ok"]);
  const bot = new AssistantAgent({ name: "bot", model });
  bot.registerForLLM(add);
  const chat = await user.initiateChat(bot, { message: "go" });
  const answer = chat.history[2];
  assert.deepEqual(answer?.toolResponses, [{ toolCallId: "c1", name: "add", content: "USER INTERRUPTED" }]);
  assert.equal(answer?.content, "stop that");
});

test("[O2] One agent's model calls a tool that the other runs", async () => {
  const caller = speaker("caller", [{ toolCalls: [{ name: "add", arguments: { a: 1, b: 2 } }] }, "3 it is"]);
  const executor = new UserProxyAgent({ name: "executor", humanInputMode: "NEVER" });
  caller.registerForLLM(add);
  executor.registerForExecution(add);
  const chat = await executor.initiateChat(caller, { message: "1+2?", maxTurns: 2 });
  assert.equal(chat.history[2]?.toolResponses?.[0]?.content, "3");
  assert.equal(chat.history[2]?.role, "tool");
  assert.equal(chat.text, "3 it is");
});

test("[R1] Reply functions run newest first; the first final one wins", async () => {
  const seen: string[] = [];
  const agent = speaker("agent", ["from the model", "again"]);
  agent.registerReply("alice", () => void seen.push("older"));
  agent.registerReply(
    [ConversableAgent],
    (messages, { config }) => {
      seen.push("newer");
      return messages.length > 2 ? { final: true, reply: config } : { final: false };
    },
    { config: "mine" },
  );
  agent.registerReply(null, () => ({ final: true, reply: "no sender" }));
  const chat = await speaker("alice", ["a1"]).initiateChat(agent, { message: "Hi", maxTurns: 2 });
  assert.deepEqual(seen, ["newer", "older", "newer"]);
  assert.deepEqual(
    chat.history.map(({ content }) => content),
    ["Hi", "from the model", "a1", "mine"],
  );
});

test("[R1] Without a final reply the default one is given", async () => {
  const agent = new ConversableAgent({ name: "mute", humanInputMode: "NEVER" });
  assert.equal((await agent.generateReply(["Hi"]))?.content, "");
});

test("[R2] Hooks change what is answered and sent, never what is stored", async () => {
  using model = scriptedModel(["raw"]);
  const agent = speaker("agent", [], { model });
  agent.registerHook("updateAgentState", () => ({ systemMessage: "Be brief." }));
  agent.registerHook("allMessagesBeforeReply", (messages) => messages.slice(-1));
  agent.registerHook("lastReceivedMessage", (message) => `${messageText(message)}!`);
  agent.registerHook("messageBeforeSend", (message) => `<${messageText(message)}>`);
  const chat = await speaker("alice", []).initiateChat(agent, { message: "Hi", maxTurns: 1 });
  assert.equal(model.calls[0]?.system, "Be brief.");
  assert.equal(model.calls[0]?.messages[0]?.content, "Hi!");
  assert.deepEqual(
    chat.history.map(({ content }) => content),
    ["Hi", "<raw>"],
  );
});

test("[R3] A reply of null ends the chat", async () => {
  const agent = speaker("agent", []);
  agent.registerReply(
    () => true,
    () => ({ final: true, reply: null }),
  );
  const chat = await speaker("alice", []).initiateChat(agent, { message: "Hi", maxTurns: 3 });
  assert.equal(chat.endedBy, "noReply");
});

test("[C2] Summaries: none, a function, a model's; a bad method is an error before the chat", async () => {
  const chat = (
    summaryMethod: unknown,
    bobModel = scriptedModel(["b1", "in short"]),
  ): Promise<{ summary: string }> =>
    speaker("alice", []).initiateChat(
      new ConversableAgent({ name: "bob", model: bobModel, humanInputMode: "NEVER" }),
      {
        message: "Hi",
        maxTurns: 1,
        summaryMethod: summaryMethod as "none",
      },
    );
  assert.equal((await chat("none")).summary, "");
  assert.equal(
    (await chat(({ history }: { history: unknown[] }) => `${history.length} messages`)).summary,
    "2 messages",
  );
  using model = scriptedModel(["b1", "in short"]);
  assert.equal((await chat("reflection", model)).summary, "in short");
  const untouched = scriptedModel([]);
  await assert.rejects(chat("bad", untouched), { code: "invalid_argument" });
  assert.equal(untouched.calls.length, 0);
});

test("[C3] One empty text is nothing to carry over", async () => {
  const chat = await quiet("alice", []).initiateChat(quiet("bob", ["b1"]), {
    message: "Hi",
    carryover: "",
    maxTurns: 1,
  });
  assert.equal(chat.history[0]?.content, "Hi");
});

test("[C3] Carryover is put behind the message, and the input stays as it was", async () => {
  const bob = speaker("bob", ["b1", "b2"]);
  const carryover = Object.freeze(["one", { content: "two" }]);
  const chat = await speaker("alice", []).initiateChat(bob, { message: "Hi", maxTurns: 1, carryover });
  assert.equal(chat.history[0]?.content, "Hi\nContext: \none\ntwo");
  const parts = await speaker("alice", []).initiateChat(bob, {
    message: { content: [{ type: "text", text: "look" }] },
    maxTurns: 1,
    carryover: "one",
  });
  assert.deepEqual(parts.history[0]?.content, [
    { type: "text", text: "\nContext: \none" },
    { type: "text", text: "look" },
  ]);
  await assert.rejects(
    speaker("alice", []).initiateChat(bob, { message: "Hi", carryover: 7 as unknown as string }),
    { code: "invalid_argument" },
  );
});

test("[C4] Sequential chats get the summaries of those before, minus the excluded", async () => {
  const alice = speaker("alice", []);
  const chats = ["x", "y", "z"].map((name) => ({
    recipient: speaker(name, [`from ${name}`]),
    message: name,
    maxTurns: 1,
  }));
  const results = await alice.initiateChats([
    chats[0]!,
    chats[1]!,
    { ...chats[2]!, excludeFromCarryover: [0] },
  ]);
  assert.deepEqual(
    results.map(({ history }) => history[0]?.content),
    ["x", "y\nContext: \nfrom x", "z\nContext: \nfrom y"],
  );
});

test("[C4] A chat that is suspended is the last of its sequence, without a summary, and goes on by its state", async () => {
  const never = quiet("never", []);
  const clerk = () => new UserProxyAgent({ name: "clerk" });
  const results = await quiet("alice", []).initiateChats([
    { recipient: quiet("bob", ["b1"]), message: "one", maxTurns: 1 },
    { recipient: clerk(), message: "two", maxTurns: 1, summaryMethod: "lastMessage" },
    { recipient: never, message: "three", maxTurns: 1 },
  ]);
  assert.deepEqual(
    results.map(({ endedBy, summary }) => [endedBy, summary]),
    [
      ["maxTurns", "b1"],
      ["suspended", ""],
    ],
  );
  const [, waiting] = results;
  const answers = { [waiting?.pending[0]?.id ?? ""]: "stamped" };
  const later = await quiet("alice", []).resume(waiting?.state, { recipient: clerk(), maxTurns: 1, answers })
    .result;
  assert.equal(later.summary, "stamped");
});

test("[M2] Two concurrent chats of the same agents never mix", async () => {
  const echo = (name: string): ConversableAgent => {
    const agent = new ConversableAgent({ name, humanInputMode: "NEVER", maxConsecutiveAutoReply: 5 });
    agent.registerReply(
      () => true,
      async (messages) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { final: true, reply: `${messageText(messages[0]!)}/${messages.length}` };
      },
      { position: 1 },
    );
    return agent;
  };
  const [alice, bob] = [echo("alice"), echo("bob")];
  using _ = captureTraces();
  const chats = await Promise.all(
    ["one", "two", "three"].map((message) => alice.initiateChat(bob, { message, maxTurns: 8 })),
  );
  for (const [index, chat] of chats.entries()) {
    const word = ["one", "two", "three"][index];
    assert.equal(chat.endedBy, "maxAutoReply");
    assert.equal(chat.history.length, 11);
    assert.ok(chat.history.every((message) => messageText(message).startsWith(word!)));
    const trace = traceOf(chat);
    assert.equal(trace.orphans.length, 0);
    assert.equal(trace.root.name, "conversation alice");
    assert.equal(trace.find("invoke_agent").length, 11);
  }
  assert.equal(new Set(chats.map(({ traceId }) => traceId)).size, 3);
});

test("Two agents and a tool are one trace: conversation, turns, model calls, tool", async () => {
  using _ = captureTraces();
  const usage = { inputTokens: 10, outputTokens: 2, cacheReadTokens: 4 };
  const alice = speaker("alice", [{ text: "thanks", usage }]);
  const model = scriptedModel([
    { toolCalls: [{ name: "add", arguments: { a: 2, b: 3 } }], usage },
    { text: "5", usage },
  ]);
  const bob = new ConversableAgent({ name: "bob", model, tools: [add], humanInputMode: "NEVER" });
  const chat = await alice
    .initiateChat(bob, { message: "2+3?", maxTurns: 2 })
    .catch((error: unknown) => error);
  // bob's script is spent at his second turn: the chat fails there, and says so.
  assert.ok(chat instanceof Error);
  const { result } = chat as Error & {
    result: { traceId: string; usage: { totalTokens: number; byAgent: object } };
  };
  const trace = traceOf(result);
  assert.equal(
    trace.toText(),
    [
      "conversation alice",
      "  invoke_agent bob",
      "    chat scripted",
      "    execute_tool add",
      "    chat scripted",
      "  invoke_agent alice",
      "    chat scripted",
      "  invoke_agent bob",
      "    chat scripted",
    ].join("\n"),
  );
  const [toolSpan] = trace.find("execute_tool");
  const [chatSpan] = trace.find("chat");
  assert.equal(toolSpan?.span.links[0]?.context.spanId, chatSpan?.span.spanId);
  assert.equal(result.usage.totalTokens, 36);
  assert.deepEqual(Object.keys(result.usage.byAgent), ["bob", "alice"]);
});
