import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConversableAgent,
  GroupChat,
  GroupChatManager,
  UserProxyAgent,
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
});

test("A message of an unknown role, or one that is none, is an error that names the field", () => {
  const team = new GroupChat({ agents: [quiet("a")], speakerSelection: "roundRobin" });
  assert.throws(() => team.resume([{ role: "boss", content: "x" }]), {
    code: "invalid_argument",
    message: /role/u,
  });
  assert.throws(() => team.resume([7]), { code: "invalid_argument" });
  assert.throws(() => quiet("a").resume([{ role: "boss", content: "x" }]), { code: "invalid_argument" });
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
  assert.ok(error instanceof Error && "code" in error);
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
