import assert from "node:assert/strict";
import { json } from "node:stream/consumers";
import { test } from "node:test";
import type { ChatState, InputRequest } from "@weft/agents";
import {
  AssistantAgent,
  GroupChat,
  ReplyResult,
  UserProxyAgent,
  messageText,
  regexGuardrail,
  target,
  tool,
} from "@weft/agents";
import type { NestedChat } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../scripts/spawn-node.ts";

interface Outcome {
  readonly endedBy: string;
  readonly text: string;
  readonly log: readonly string[];
  readonly pending: readonly InputRequest[];
  readonly state: ChatState;
  readonly traceId: string;
  readonly asked: readonly string[];
  readonly paid: readonly number[];
}

async function inOtherProcess(goOn?: object): Promise<Outcome> {
  const child = spawnNode(new URL("programs/nested-desk.ts", import.meta.url), [], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin?.end(goOn === undefined ? "" : JSON.stringify(goOn));
  const ended = new Promise((resolve) => child.on("close", resolve));
  const outcome = (await json(child.stdout!)) as Outcome;
  assert.equal(await ended, 0);
  return outcome;
}

test("[N2] Nested chats of a handoff that were suspended go on where they were, in another process", async () => {
  const first = await inOtherProcess();
  assert.equal(first.endedBy, "suspended");
  assert.deepEqual(first.asked, ["triage", "expert", "clerk"]);
  assert.equal(first.pending[0]?.toolCall?.name, "pay");
  const answers = { [first.pending[0]?.id ?? ""]: { approved: true } };
  const second = await inOtherProcess({ state: first.state, answers });
  // The expert is not asked again, and the clerk's call is the one that was approved.
  assert.deepEqual(second.asked, ["clerk", "editor", "triage"]);
  assert.deepEqual(second.paid, [1]);
  assert.equal(second.text, "Done. In short: paid.");
  assert.equal(second.log.at(-2), "triage_nested: In short: paid.");
  assert.equal(second.traceId, first.traceId);
});

const speaker = (name: string, script: Parameters<typeof scriptedModel>[0], options = {}) =>
  new AssistantAgent({ name, model: scriptedModel(script), ...options });
const travelled = (state: ChatState | undefined): unknown => JSON.parse(JSON.stringify(state));

/** `a`, which goes to nested chats with a human by what `ways` say. */
function desk(script: string[], ways: (chats: readonly NestedChat[]) => object): GroupChat {
  const human = new UserProxyAgent({ name: "human" });
  const agents = [speaker("a", script, ways([{ recipient: human, message: "Yes?", maxTurns: 1 }]))];
  return new GroupChat({ agents, speakerSelection: "handoffs", maxRound: 4 });
}

test("[N2] Nested chats after work are found again by their place; in another group they are an error that says why", async () => {
  const ways = (chats: readonly NestedChat[]) => ({ afterWork: target.nested(chats) });
  const first = await desk(["a1"], ways).run("go").result;
  assert.equal(first.endedBy, "suspended");
  const answers = { [first.pending[0]?.id ?? ""]: "yes" };
  const second = await desk(["a2"], ways).resume(travelled(first.state), { answers }).result;
  assert.deepEqual(
    second.history.map((message) => `${message.name}: ${messageText(message)}`),
    ["user: go", "a: a1", "a_nested: yes", "a: a2"],
  );
  assert.throws(() => desk([], () => ({})).resume(travelled(first.state), { answers }), {
    code: "failed_precondition",
    message: /human.*afterWork 1 of "a"/u,
  });
});

test("[N2] Nested chats that only a tool named cannot be found again, and resuming says what to do", async () => {
  const made = (isNamed: boolean, script: Parameters<typeof scriptedModel>[0]) => {
    const nested = target.nested([
      { recipient: new UserProxyAgent({ name: "human" }), message: "Yes?", maxTurns: 1 },
    ]);
    const ask = tool({
      name: "ask",
      description: "asks",
      execute: () => new ReplyResult({ message: "asking", target: nested }),
    });
    const guardrails = isNamed
      ? [regexGuardrail({ name: "ask", on: "input", pattern: "^a human, please$", target: nested })]
      : [];
    const agents = [speaker("a", script, { tools: [ask], guardrails })];
    return new GroupChat({ agents, speakerSelection: "handoffs", maxRound: 5 });
  };
  for (const isNamed of [false, true]) {
    const first = await made(isNamed, [{ toolCalls: [{ name: "ask", arguments: {} }] }, "a1"]).run("go")
      .result;
    assert.equal(first.endedBy, "suspended");
    const answers = { [first.pending[0]?.id ?? ""]: "yes" };
    const goOn = () => made(isNamed, ["thanks"]).resume(travelled(first.state), { answers });
    if (isNamed) assert.equal((await goOn().result).text, "thanks");
    else assert.throws(goOn, { code: "failed_precondition", message: /human.*name the target/u });
  }
});

test("[N2] A handoff to a human's choice waits for it in another process", async () => {
  const made = (script: Parameters<typeof scriptedModel>[0]) => {
    const choose = tool({
      name: "choose",
      description: "lets a human choose",
      execute: () => new ReplyResult({ message: "who?", target: target.by(() => target.askUser) }),
    });
    const agents = [speaker("a", script, { tools: [choose] }), speaker("b", ["b1"]), speaker("c", [])];
    return new GroupChat({ agents, speakerSelection: "handoffs", maxRound: 4 });
  };
  const first = await made([{ toolCalls: [{ name: "choose", arguments: {} }] }]).run("go").result;
  assert.equal(first.endedBy, "suspended");
  assert.deepEqual(first.pending[0]?.candidates, ["a", "b", "c"]);
  const answers = { [first.pending[0]?.id ?? ""]: "b" };
  const later = await made([]).resume(travelled(first.state), { answers }).result;
  assert.equal(later.text, "b1");
});
