import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversableAgent, GraphError, UserProxyAgent, initiateChats } from "@weft/agents";
import type { GraphChat } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";

const usage = { inputTokens: 1, outputTokens: 1 };
const quiet = (name: string, ...script: Parameters<typeof scriptedModel>[0]): ConversableAgent =>
  new ConversableAgent({
    name,
    model: scriptedModel(script.map((step) => (typeof step === "string" ? { text: step, usage } : step))),
    humanInputMode: "NEVER",
  });

test("[C6] Nested chats: the first takes the triggering message, one without a message is skipped, the last summary is the reply", async () => {
  using _ = captureTraces();
  const critic = quiet("critic", "too short");
  const skipped = quiet("skipped");
  const editor = quiet("editor", "longer now");
  const writer = quiet("writer", "never asked").registerNestedChats(
    [
      { recipient: critic, maxTurns: 1 },
      { recipient: skipped, maxTurns: 1 },
      { recipient: editor, message: "Mend it.", maxTurns: 1 },
    ],
    "user",
  );
  const chat = await new UserProxyAgent({ name: "user", humanInputMode: "NEVER" }).initiateChat(writer, {
    message: "A text",
    maxTurns: 1,
  });
  assert.equal(chat.text, "longer now");
  assert.equal(chat.usage.totalTokens, 4);
  const asked = (critic.model as ReturnType<typeof scriptedModel>).calls[0]?.messages[0];
  assert.equal(asked?.content, "A text");
  const mended = (editor.model as ReturnType<typeof scriptedModel>).calls[0]?.messages[0];
  assert.equal(mended?.content, "Mend it.\nContext: \ntoo short");
  const trace = traceOf(chat);
  assert.equal(trace.roots.length, 1);
  assert.equal(trace.find("conversation writer").length, 2);
});

test("[C6] With nothing that can be run there is no reply from nested chats: the next step of the chain answers", async () => {
  const helper = quiet("helper");
  const writer = quiet("writer", "by myself").registerNestedChats([], "user");
  const other = quiet("other", "not asked");
  writer.registerNestedChats([{ recipient: helper }], "somebody else");
  const chat = await new UserProxyAgent({ name: "user", humanInputMode: "NEVER" }).initiateChat(writer, {
    message: "Hi",
    maxTurns: 1,
  });
  assert.equal(chat.text, "by myself");
  assert.throws(() => other.registerNestedChats([{ recipient: other }], "user"), {
    code: "invalid_argument",
  });
});

test("[C6] A nested chat that is suspended goes on where it was", async () => {
  const make = (...script: string[]) => {
    const clerk = new UserProxyAgent({ name: "clerk" });
    const writer = quiet("writer", ...script).registerNestedChats(
      [{ recipient: clerk, maxTurns: 1 }],
      "user",
    );
    return { user: new UserProxyAgent({ name: "user", humanInputMode: "NEVER" }), writer };
  };
  const first = make();
  const chat = await first.user.initiateChat(first.writer, { message: "Hi", maxTurns: 1 });
  assert.equal(chat.endedBy, "suspended");
  const second = make();
  const later = await second.user.resume(JSON.stringify(chat.state), {
    recipient: second.writer,
    maxTurns: 1,
    answers: { [chat.pending[0]?.id ?? ""]: "stamped" },
  }).result;
  assert.equal(later.text, "stamped");
});

const alice = quiet("alice");
const node = (
  id: string,
  prerequisites: readonly string[],
  ...script: Parameters<typeof scriptedModel>[0]
): GraphChat => ({
  id,
  prerequisites,
  sender: alice,
  recipient: quiet(`${id}-agent`, ...script),
  message: id,
  maxTurns: 1,
});

test("[C5] A graph of chats: each starts when its prerequisites are done, with their summaries only", async () => {
  using _ = captureTraces();
  const chats = [
    node("end", ["left", "right"], "e"),
    node("left", ["start"], "l"),
    node("right", [], "r"),
    node("start", [], "s"),
  ];
  const results = await initiateChats(chats);
  assert.deepEqual(Object.keys(results).sort(), ["end", "left", "right", "start"]);
  assert.equal(results["end"]?.history[0]?.content, "end\nContext: \nl\nr");
  assert.equal(results["left"]?.history[0]?.content, "left\nContext: \ns");
  assert.equal(results["right"]?.history[0]?.content, "right");
  const [span] = traceOf(results["end"]).find("initiate_chats alice");
  assert.equal(span?.attributes["weft.chats.mode"], "graph");
});

test("[C5] A cycle, an unknown, missing or double id is an error before anything starts", async () => {
  const bad: [readonly GraphChat[], RegExp][] = [
    [[node("a", ["b"]), node("b", ["c"]), node("c", ["b"])], /b -> c -> b|c -> b -> c/u],
    [[node("a", ["nowhere"])], /nowhere/u],
    [[node("a", []), node("a", [])], /Two/u],
    [[node("a", []), { ...node("", []), id: "" }], /id/u],
  ];
  for (const [chats, message] of bad) {
    await assert.rejects(async () => initiateChats(chats), { code: "invalid_argument", message });
  }
});

test("[C5] One failure cancels its dependants only, and every outcome is told", async () => {
  const failing = node("bad", [], { error: new TypeError("broken") });
  const chats = [
    failing,
    node("after", ["bad"], "never"),
    node("later", ["after"], "never"),
    node("fine", [], "ok"),
  ];
  const error: unknown = await initiateChats(chats).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof GraphError);
  assert.deepEqual(
    Object.fromEntries(Object.entries(error.outcomes).map(([id, { status }]) => [id, status])),
    { bad: "failed", after: "skipped", later: "skipped", fine: "done" },
  );
});

test("[C5] What waits for a suspended chat is not begun; the suspended one is in the results, with its state", async () => {
  const chats = [
    { ...node("ask", []), recipient: new UserProxyAgent({ name: "clerk" }) },
    node("after", ["ask"], "never"),
    node("fine", [], "ok"),
  ];
  const results = await initiateChats(chats);
  assert.deepEqual(Object.fromEntries(Object.entries(results).map(([id, { endedBy }]) => [id, endedBy])), {
    ask: "suspended",
    fine: "maxTurns",
  });
  assert.ok(results["ask"]?.state);
});
