import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConversableAgent,
  GroupChat,
  GroupChatManager,
  UserProxyAgent,
  WeftError,
  defineAgent,
  remoteAgent,
} from "@weft/agents";
import type { ChatModel } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";
import { serve } from "@weft/runtime";

const quiet = (name: string, ...script: Parameters<typeof scriptedModel>[0]): ConversableAgent =>
  new ConversableAgent({ name, model: scriptedModel(script), humanInputMode: "NEVER" });

test("A model that ends without an answer is an error that names it; an empty answer is an answer", async () => {
  const silent: ChatModel = {
    provider: "weft.test",
    modelId: "silent",
    generate: () => Promise.reject(new TypeError("not asked")),
    async *stream() {
      // Nothing.
    },
  };
  const agent = new ConversableAgent({ name: "a", model: silent });
  await assert.rejects(agent.run("Hi").result, { code: "model_failed", message: /silent/u });
  assert.equal((await quiet("a", "").run("Hi").result).text, "");
  for (const answer of [{}, 42, { text: "no calls" }, { text: 5, toolCalls: [] }]) {
    const odd: ChatModel = {
      ...silent,
      async *stream() {
        yield { type: "finish", response: answer as never };
      },
    };
    const asked = new ConversableAgent({ name: "a", model: odd }).run("Hi").result;
    await assert.rejects(asked, { code: "model_failed", message: /silent.*text and toolCalls/u });
  }
});

test("A message of an unknown role, or one that is none, is an error that names the field", async () => {
  const team = new GroupChat({ agents: [quiet("a")], speakerSelection: "roundRobin" });
  assert.throws(() => team.resume([{ role: "boss", content: "x" }]), {
    code: "invalid_argument",
    message: /role/u,
  });
  assert.throws(() => team.resume([7]), { code: "invalid_argument" });
  assert.throws(() => quiet("a").resume([{ role: "boss", content: "x" }]), { code: "invalid_argument" });
  const boss = { role: "boss" as "user", content: "x" };
  const wrong = { code: "invalid_argument", message: /role.*boss/u };
  await assert.rejects(quiet("a").generateReply([boss]), wrong);
  assert.throws(() => quiet("a").run(boss), wrong);
  assert.throws(() => team.run(boss), wrong);
});

test("Cyclic context variables stay where they are; what must cross a wire is an error, not a hang", async () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const near = await quiet("a", "ok").run("Hi", { contextVariables: { cyclic } }).result;
  assert.equal(near.text, "ok");
  await using service = await serve(
    defineAgent({
      name: "far",
      async *respond() {
        yield "ok";
      },
    }),
    { port: 0, host: "127.0.0.1" },
  );
  await using far = await remoteAgent(service.url, { name: "far" });
  const group = new GroupChat({ agents: [far], speakerSelection: "roundRobin", maxRound: 2 });
  const error: unknown = await group
    .run("Hi", { contextVariables: { cyclic } })
    .result.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof WeftError);
  assert.equal(error.code, "invalid_argument");
  assert.match(error.message, /context variables.*"far".*JSON/u);
});

test("[T2] A question that waits for its reader ends with an abort", async () => {
  const controller = new AbortController();
  const run = new UserProxyAgent({ name: "user" }).run("Hi", {
    recipient: quiet("bob", "b1"),
    signal: controller.signal,
  });
  const read = async (): Promise<void> => {
    for await (const event of run) {
      if (event.type !== "input-required") continue;
      event.respond(new Promise(() => undefined));
      controller.abort();
    }
  };
  await assert.rejects(read(), { name: "AbortError" });
  await assert.rejects(run.result, { name: "AbortError" });
});

test("[N2] A chat with a group's manager is suspended and resumed like any other", async () => {
  const make = (...script: string[]) => {
    const human = new UserProxyAgent({ name: "human" });
    const groupChat = new GroupChat({
      agents: [quiet("a", ...script), human],
      speakerSelection: "roundRobin",
      maxRound: 4,
    });
    return { user: new UserProxyAgent({ name: "user" }), manager: new GroupChatManager({ groupChat }) };
  };
  const first = make("a1");
  const chat = await first.user.initiateChat(first.manager, { message: "Hi" });
  assert.equal(chat.endedBy, "suspended");
  const second = make("a2");
  const answers = { [chat.pending[0]?.id ?? ""]: "I see" };
  const later = await second.user.resume(JSON.stringify(chat.state), { recipient: second.manager, answers })
    .result;
  assert.deepEqual(
    later.history.map(({ content }) => content),
    ["Hi", "a1", "I see", "a2"],
  );
  assert.equal(later.endedBy, "maxRound");
});

test("[C1] A chat without a recipient is an error, and so is going on with another one", async () => {
  const user = new UserProxyAgent({ name: "user" });
  for (const recipient of [undefined, {}, "bob"]) {
    await assert.rejects(user.initiateChat(recipient as never, { message: "Hi" }), {
      code: "invalid_argument",
      message: /recipient/u,
    });
  }
  const { state } = await user.initiateChat(quiet("bob", "b1"), { message: "Hi" });
  assert.throws(() => user.resume(state, { recipient: quiet("carol") }), {
    code: "invalid_argument",
    message: /"bob".*"carol"/u,
  });
});

test("[R1] A reply function that gives neither { final, reply } nor nothing is an error that says what to give", async () => {
  const bob = quiet("bob").registerReply("alice", (() => "a text") as never);
  await assert.rejects(quiet("alice").initiateChat(bob, { message: "Hi", maxTurns: 1 }), {
    code: "invalid_argument",
    message: /\{ final, reply \}/u,
  });
});

test("[T2] An answer that is none is an error that says what to answer, whoever gave it", async () => {
  const wrong = { code: "invalid_argument", message: /string.*approved/u };
  for (const answer of [undefined, null, 5, { ok: true }] as never[]) {
    const asked = new UserProxyAgent({ name: "user", humanInput: () => answer });
    await assert.rejects(asked.initiateChat(quiet("bob", "b1"), { message: "Hi" }), wrong);
    const run = new UserProxyAgent({ name: "user" }).run("Hi", { recipient: quiet("bob", "b1") });
    const read = async (): Promise<void> => {
      for await (const event of run) if (event.type === "input-required") event.respond(answer);
    };
    await assert.rejects(read(), wrong);
  }
});
