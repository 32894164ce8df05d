import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AssistantAgent,
  ConversableAgent,
  GroupChat,
  UserProxyAgent,
  defineAgent,
  messageText,
  remoteAgent,
  tool,
} from "@weft/agents";
import type { ChatResult, RunEvent } from "@weft/agents";
import { captureTraces, humanScript, scriptedModel, traceOf } from "@weft/agents/testing";
import { serve } from "@weft/runtime";

const quiet = (name: string, script: Parameters<typeof scriptedModel>[0]): ConversableAgent =>
  new ConversableAgent({ name, model: scriptedModel(script), humanInputMode: "NEVER" });

/** What another process reads. */
const travelled = (result: ChatResult): unknown => JSON.parse(JSON.stringify(result.state));

function payTool(done: string[]) {
  return tool({
    name: "pay",
    description: "pays",
    parameters: { type: "object", properties: { amount: { type: "number" } } },
    needsApproval: ({ amount }) => Number(amount) > 10,
    execute: ({ amount }) => {
      done.push(String(amount));
      return `paid ${String(amount)}`;
    },
  });
}

const askToPay = (...amounts: number[]) => ({
  toolCalls: amounts.map((amount) => ({ name: "pay", arguments: { amount } })),
});

test("[T2] The run's reader answers where it reads the question", async () => {
  const user = new UserProxyAgent({ name: "user" });
  const run = user.run("Hi", { recipient: quiet("bob", ["b1", "b2"]) });
  const prompts: string[] = [];
  for await (const event of run) {
    if (event.type !== "input-required") continue;
    prompts.push(event.prompt);
    event.respond(prompts.length === 1 ? "go on" : Promise.resolve("exit"));
  }
  const chat = await run.result;
  assert.deepEqual(
    chat.history.map(({ content }) => content),
    ["Hi", "b1", "go on", "b2"],
  );
  assert.equal(chat.endedBy, "human");
  assert.deepEqual(
    chat.humanInput.map(({ answer }) => answer),
    ["go on", "exit"],
  );
  assert.match(prompts[0] ?? "", /b1/u);
});

test("[T2] A reader that goes on without an answer, or says so, suspends; in mode TERMINATE the chat ends", async () => {
  for (const react of [
    () => undefined,
    (event: RunEvent) => event.type === "input-required" && event.suspend(),
  ]) {
    const run = new UserProxyAgent({ name: "user" }).run("Hi", { recipient: quiet("bob", ["b1"]) });
    for await (const event of run) react(event);
    const chat = await run.result;
    assert.equal(chat.endedBy, "suspended");
    assert.equal(chat.pending.length, 1);
  }
  const alice = new ConversableAgent({ name: "alice", model: scriptedModel([]) });
  const run = alice.run("Hi", { recipient: quiet("bob", ["TERMINATE"]) });
  let asked = 0;
  for await (const event of run) if (event.type === "input-required") asked++;
  assert.equal((await run.result).endedBy, "termination");
  assert.equal(asked, 1);
});

test("[T2] An answer that comes too late is refused with the remedy", async () => {
  const run = new UserProxyAgent({ name: "user" }).run("Hi", { recipient: quiet("bob", ["b1"]) });
  const late: (() => void)[] = [];
  for await (const event of run) if (event.type === "input-required") late.push(() => event.respond("x"));
  assert.throws(late[0] ?? assert.fail, { code: "failed_precondition", message: /answers/u });
});

for (const respondWith of ["task", "message"] as const) {
  test(`[T2] Under serve with a ${respondWith} the caller is asked, and its next message is the answer, over any number of hops`, async () => {
    const done: string[] = [];
    const payer = new AssistantAgent({
      name: "payer",
      model: scriptedModel([askToPay(50), "It is paid."]),
      tools: [payTool(done)],
    });
    await using inner = await serve(payer, { port: 0, host: "127.0.0.1", respondWith });
    await using member = await remoteAgent(inner.url, { name: "payer" });
    const office = new GroupChat({
      name: "office",
      agents: [member],
      speakerSelection: "roundRobin",
      maxRound: 2,
    });
    await using outer = await serve(office, { port: 0, host: "127.0.0.1", respondWith });
    await using remote = await remoteAgent(outer.url, { name: "office" });
    const alice = quiet("alice", []);
    const run = alice.run("Pay 50", { recipient: remote, maxTurns: 1 });
    const questions: string[] = [];
    for await (const event of run) {
      if (event.type !== "input-required") continue;
      questions.push(event.kind);
      event.respond({ approved: true });
    }
    const chat = await run.result;
    assert.equal(chat.text, "It is paid.");
    assert.deepEqual(done, ["50"]);
    assert.deepEqual(questions, ["approval"]);
  });
}

for (const respondWith of ["task", "message"] as const) {
  test(`[T2] A question of an agent served with a ${respondWith} waits for a remote chat that was suspended and resumed`, async () => {
    const asker = defineAgent({
      name: "asker",
      async *respond({ messages }) {
        if (messages.length === 1)
          yield { type: "input-required", id: "q1", kind: "reply", agent: "asker", prompt: "Which colour?" };
        else yield `You said ${messageText(messages.at(-1)!)}.`;
      },
    });
    await using service = await serve(asker, { port: 0, host: "127.0.0.1", respondWith });
    await using remote = await remoteAgent(service.url, { name: "asker" });
    const chat = await quiet("alice", []).initiateChat(remote, { message: "Hi", maxTurns: 1 });
    assert.equal(chat.endedBy, "suspended");
    assert.equal(chat.pending[0]?.prompt, "Which colour?");
    const answers = { [chat.pending[0]?.id ?? ""]: "red" };
    const later = await quiet("alice", []).resume(travelled(chat), {
      recipient: remote,
      maxTurns: 1,
      answers,
    }).result;
    assert.equal(later.text, "You said red.");
  });
}

test("[N2] A suspended chat goes on from its state, in the same trace, under its first span", async () => {
  using _ = captureTraces();
  const make = (script: Parameters<typeof scriptedModel>[0]) => ({
    user: new UserProxyAgent({ name: "user" }),
    bob: quiet("bob", script),
  });
  const first = make(["b1"]);
  const chat = await first.user.initiateChat(first.bob, {
    message: "Hi",
    maxTurns: 2,
    contextVariables: { colour: "red" },
  });
  assert.equal(chat.endedBy, "suspended");
  const second = make(["b2"]);
  const id = chat.pending[0]?.id ?? "";
  const later = await second.user.resume(travelled(chat), {
    recipient: second.bob,
    maxTurns: 2,
    answers: { [id]: "and then?" },
  }).result;
  assert.deepEqual(
    later.history.map(({ content }) => content),
    ["Hi", "b1", "and then?", "b2"],
  );
  assert.equal(later.traceId, chat.traceId);
  assert.equal(later.conversationId, chat.conversationId);
  assert.deepEqual(later.contextVariables, { colour: "red" });
  const trace = traceOf(later);
  assert.equal(trace.roots.length, 1);
  assert.equal(trace.orphans.length, 0);
  const [home, stretch] = trace.find("conversation user");
  assert.equal(stretch?.attributes["weft.stretch"], 2);
  assert.equal(stretch?.attributes["weft.run.id"], home?.attributes["weft.run.id"]);
  assert.equal(stretch?.span.parentSpanId, home?.span.spanId);
  assert.equal(home?.attributes["weft.outcome"], "suspended");
  const [waited] = trace.find("await_human_input user");
  assert.equal(waited?.attributes["weft.outcome"], "suspended");
  const taken = trace.find("invoke_agent user").at(-1);
  assert.equal(taken?.attributes["weft.human.response"], "and then?");
  assert.ok(Number(taken?.attributes["weft.human.wait_ms"]) >= 0);
});

test("[N2] From messages a chat goes on in a new trace, with the conversation it is given", async () => {
  using _ = captureTraces();
  const team = new GroupChat({
    agents: [quiet("a", ["a1", "a2"])],
    speakerSelection: "roundRobin",
    maxRound: 2,
  });
  const first = await team.run("go").result;
  const later = await team.resume(first.history, { conversationId: first.conversationId, message: "more" })
    .result;
  assert.notEqual(later.traceId, first.traceId);
  assert.equal(later.conversationId, first.conversationId);
});

test("[N2] A state of another version, kind or shape, and an answer to nothing, are errors that say so", async () => {
  const user = new UserProxyAgent({ name: "user" });
  const bob = quiet("bob", ["b1"]);
  const chat = await user.initiateChat(bob, { message: "Hi" });
  const state = travelled(chat) as Record<string, unknown>;
  const team = new GroupChat({ agents: [bob], speakerSelection: "roundRobin" });
  const bad: [unknown, RegExp][] = [
    [{ ...state, version: 2 }, /version/u],
    [{ ...state, room: { ...(state["room"] as object), members: 1 } }, /members/u],
    [{ ...state, pending: [1] }, /pending/u],
    [{ ...state, name: "other" }, /other/u],
    [{ ...state, chat: { ...(state["chat"] as object), turn: "2" } }, /turn/u],
    ["{", /JSON/u],
    [[], /messages/u],
  ];
  for (const [from, message] of bad) {
    assert.throws(() => user.resume(from, { recipient: bob }), { code: "invalid_argument", message });
  }
  assert.throws(() => team.resume(state), { code: "invalid_argument", message: /group/u });
  const group = travelled(
    await new GroupChat({ agents: [new UserProxyAgent({ name: "a" })], speakerSelection: "roundRobin" }).run(
      "go",
    ).result,
  ) as { readonly chat: { readonly session: object } };
  for (const change of [{ speakers: 1 }, { turn: null }, { nested: 5 }]) {
    const session = { ...group.chat.session, ...change };
    assert.throws(() => team.resume({ ...group, chat: { session } }), {
      code: "invalid_argument",
      message: /session/u,
    });
  }
  assert.throws(() => user.resume(state, { recipient: bob, answers: { nothing: "x" } }), {
    message: /nothing/u,
  });
});

test("[N2] What JSON cannot say is an error of ours, not a broken state", async () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const run = new UserProxyAgent({ name: "user" }).run("Hi", {
    recipient: quiet("bob", ["b1"]),
    contextVariables: { circular },
  });
  await assert.rejects(run.result, { code: "failed_precondition", message: /JSON/u });
});

test("[C7] A chat of two goes on from its messages, at whichever side is next", async () => {
  const first = await quiet("alice", []).initiateChat(quiet("bob", ["b1"]), { message: "Hi", maxTurns: 1 });
  const later = await quiet("alice", ["a2"]).resume(first.history, {
    recipient: quiet("bob", ["b2"]),
    maxTurns: 2,
  }).result;
  assert.deepEqual(
    later.history.map(({ name, content }) => `${name}: ${messageText({ content })}`),
    ["alice: Hi", "bob: b1", "alice: a2", "bob: b2"],
  );
  const asked = await quiet("alice", []).resume(JSON.stringify(first.history), {
    recipient: quiet("bob", ["b2"]),
    message: "And?",
    maxTurns: 1,
  }).result;
  assert.deepEqual(asked.history.at(-1)?.content, "b2");
});

test("[O5] A call that needs approval waits for the human; refused, the model is told why", async () => {
  const done: string[] = [];
  using humanInput = humanScript([{ approved: false, reason: "too much" }, "yes"]);
  const model = scriptedModel([
    askToPay(5, 50, 60),
    (request) =>
      String(
        request.messages
          .at(-1)
          ?.toolResponses?.map(({ content }) => content)
          .join("; "),
      ),
  ]);
  const agent = new AssistantAgent({ name: "payer", model, tools: [payTool(done)], humanInput });
  const { text } = await agent.run("pay").result;
  assert.equal(text, 'paid 5; Error: The call of "pay" was not approved: too much.; paid 60');
  assert.deepEqual(done, ["5", "60"]);
  assert.equal(humanInput.requests[0]?.kind, "approval");
  assert.equal(humanInput.requests[0]?.toolCall?.name, "pay");
});

test("[O5] An approval suspends the chat, and each call runs once, in another process too", async () => {
  using _ = captureTraces();
  const done: string[] = [];
  const make = (script: Parameters<typeof scriptedModel>[0]) =>
    new GroupChat({
      agents: [new AssistantAgent({ name: "payer", model: scriptedModel(script), tools: [payTool(done)] })],
      speakerSelection: "roundRobin",
      maxRound: 2,
    });
  const first = await make([askToPay(20, 30)]).run("pay").result;
  assert.equal(first.endedBy, "suspended");
  assert.equal(first.pending.length, 1);
  assert.deepEqual(done, []);
  const one = first.pending[0]?.id ?? "";
  const second = await make([]).resume(travelled(first), { answers: { [one]: { approved: true } } }).result;
  assert.equal(second.endedBy, "suspended");
  const two = second.pending[0]?.id ?? "";
  assert.notEqual(two, one);
  const third = await make(["done"]).resume(travelled(second), { answers: { [two]: { approved: true } } })
    .result;
  assert.equal(third.text, "done");
  assert.deepEqual(done, ["20", "30"]);
  const trace = traceOf(third);
  assert.equal(trace.roots.length, 1);
  assert.equal(trace.orphans.length, 0);
  assert.deepEqual(
    trace.find("invoke_workflow group").map(({ attributes }) => attributes["weft.stretch"]),
    [undefined, 2, 3],
  );
});

test("[O5] A suspended member of a nested group is resumed where it was", async () => {
  const done: string[] = [];
  const make = (script: Parameters<typeof scriptedModel>[0]) => {
    const payer = new AssistantAgent({ name: "payer", model: scriptedModel(script), tools: [payTool(done)] });
    const inner = new GroupChat({
      name: "inner",
      agents: [payer],
      speakerSelection: "roundRobin",
      maxRound: 2,
    });
    return new GroupChat({ name: "outer", agents: [inner], speakerSelection: "roundRobin", maxRound: 2 });
  };
  const first = await make([askToPay(20)]).run("pay").result;
  assert.equal(first.endedBy, "suspended");
  const answers = { [first.pending[0]?.id ?? ""]: { approved: true } };
  const later = await make(["done"]).resume(JSON.stringify(first.state), { answers }).result;
  assert.equal(later.text, "done");
  assert.deepEqual(done, ["20"]);
});

test("[G6] manual without a human suspends, and the answer chooses", async () => {
  const team = () =>
    new GroupChat({
      agents: [quiet("a", ["a1"]), quiet("b", ["b1"])],
      speakerSelection: "manual",
      maxRound: 2,
    });
  const first = await team().run("go").result;
  assert.equal(first.endedBy, "suspended");
  assert.deepEqual(first.pending[0]?.candidates, ["a", "b"]);
  const answers = { [first.pending[0]?.id ?? ""]: "b" };
  const later = await team().resume(travelled(first), { answers }).result;
  assert.equal(later.text, "b1");
});
