import assert from "node:assert/strict";
import { test } from "node:test";
import { captureSpans } from "@weft/tracing/internal";
import { WeftError } from "@weft/tracing";
import {
  History,
  createAgentContext,
  createMessage,
  defineAgent,
  messageText,
  parseMessage,
  runTurn,
} from "../src/agent/index.ts";
import type { Agent, AgentContext, AgentEvent, AgentYield, MessageInput } from "../src/agent/index.ts";

const agentOf = (respond: Agent["respond"], name = "bob"): Agent => defineAgent({ name, respond });

function yielding(...steps: AgentYield[]): Agent {
  return agentOf(async function* () {
    yield* steps;
  });
}

async function turnOf(agent: Agent, context: AgentContext = createAgentContext()): Promise<AgentEvent[]> {
  const message = createMessage({ content: "hello", name: "alice" });
  context.history.append(message);
  const request = { messages: context.history.messages, newFrom: 0, contextVariables: {} };
  return Array.fromAsync(runTurn(agent, request, context, { turn: 1 }));
}

const code = (expected: string) => (error: unknown) => error instanceof WeftError && error.code === expected;

test("strings of a turn are deltas and, joined, its one message", async () => {
  const context = createAgentContext();
  const events = await turnOf(yielding("4", "2"), context);
  assert.deepEqual(
    events.map((event) => event.type),
    ["text-delta", "text-delta", "message"],
  );
  const last = events[2]!;
  assert.ok(last.type === "message" && last.text === "42" && last.from === "bob" && last.turn === 1);
  assert.ok(events[0]!.type === "text-delta" && events[0]!.messageId === last.message.id);
  assert.equal(last.message.name, "bob");
  assert.equal(context.history.messages.at(-1), last.message);
});

test("a message the agent gives is its reply and wins over the deltas", async () => {
  const events = await turnOf(yielding("fo", { content: "forty-two" }));
  assert.deepEqual(
    events.map((event) => event.type),
    ["text-delta", "message"],
  );
  assert.ok(events[1]!.type === "message" && events[1]!.text === "forty-two");
});

test("a second message in one turn is an error of the agent", async () => {
  await assert.rejects(turnOf(yielding({ content: "a" }, { content: "b" })), code("failed_precondition"));
});

test("an agent that gives nothing has no message event", async () => {
  assert.deepEqual(await turnOf(yielding()), []);
});

test("events of a nested chat pass with this agent's name in front of their path", async () => {
  const nested: AgentEvent = {
    type: "text-delta",
    text: "x",
    from: "eve",
    turn: 3,
    spanId: "s",
    path: ["sub"],
  };
  const events = await turnOf(yielding(nested, "done"));
  assert.deepEqual(events[0], { ...nested, path: ["bob", "sub"] });
  assert.ok(events.at(-1)!.type === "message");
});

test(
  "an abort ends the turn at once, also of an agent that ignores its signal",
  { timeout: 5_000 },
  async () => {
    const controller = new AbortController();
    const hangs = agentOf(async function* () {
      yield "a";
      controller.abort(new Error("enough"));
      await new Promise(() => undefined);
    });
    const reading = turnOf(hangs, createAgentContext({ signal: controller.signal }));
    await assert.rejects(
      reading,
      (error: WeftError) => error.name === "AbortError" && error.code === "aborted",
    );
  },
);

test("a turn is one span that says its output, what it appended, and its conversation", async () => {
  using captured = captureSpans();
  const context = createAgentContext({ conversationId: "c1" });
  const events = await turnOf(yielding("42"), context);
  const [span] = captured.spans();
  assert.equal(captured.spans().length, 1);
  assert.equal(span!.name, "invoke_agent bob");
  assert.equal(span!.attributes["gen_ai.conversation.id"], "c1");
  const message = events.at(-1)!;
  assert.ok(message.type === "message" && message.spanId === span!.spanId);
  assert.deepEqual(span!.attributes["weft.history.appends"], [
    `${context.history.id}:1=${message.message.id}`,
  ]);
});

test("a turn that throws is a span in ERROR, and one whose reader left is not", async () => {
  using captured = captureSpans();
  const throws = agentOf(async function* () {
    yield "a";
    throw new TypeError("broken");
  });
  await assert.rejects(turnOf(throws), code("internal"));
  assert.equal(captured.spans()[0]!.status.code, 2);
  const context = createAgentContext();
  const request = { messages: [], newFrom: 0, contextVariables: {} };
  for await (const _ of runTurn(yielding("a", "b"), request, context, { turn: 1 })) break;
  assert.equal(captured.spans()[1]!.status.code, 0);
  assert.equal(captured.spans()[1]!.attributes["weft.outcome"], "cancelled");
});

test("[M1] a message without content, calls and responses is refused; an empty text is content", () => {
  assert.throws(() => createMessage({ content: null }), code("invalid_argument"));
  assert.throws(() => parseMessage({ role: "user" }), code("invalid_argument"));
  assert.equal(createMessage("").content, "");
  assert.equal(createMessage({ toolCalls: [{ id: "1", name: "f", arguments: "{}" }] }).role, "assistant");
});

test("[M3] a mirrored history casts roles for its owner, keeps ids and skips what it holds", () => {
  const log = new History();
  const own = new History();
  const a = createMessage({ content: "1", name: "alice" });
  const b = createMessage({ content: "2", name: "bob", role: "assistant" });
  for (const message of [a, b, createMessage({ content: "3", name: "carol", role: "assistant" })])
    log.append(message);
  own.append(b);
  assert.deepEqual(own.mirror(log, 0, "bob"), [`${own.id}:1-1=${log.id}:0-0`, `${own.id}:2-2=${log.id}:2-2`]);
  assert.deepEqual(
    own.messages.map(({ role }) => role),
    ["assistant", "user", "user"],
  );
  assert.deepEqual(own.mirror(log, 3, "bob"), []);
  assert.equal(own.run(), `${own.id}:0-2`);
});

test("a role is one of the four, or what others call one of them", () => {
  const roleOf = (role: unknown): string => createMessage({ content: "x", role } as MessageInput).role;
  assert.deepEqual(["human", "ai", "tool"].map(roleOf), ["user", "assistant", "tool"]);
  assert.throws(() => roleOf("king"), /role must be user, assistant, system or tool, not "king"/);
});

test("a message survives JSON, and what is wrong in one is named", () => {
  const message = createMessage({
    content: [
      { type: "text", text: "a" },
      { type: "data", data: { n: 1 } },
    ],
    toolCalls: [{ id: "1", name: "f", arguments: "{}" }],
    name: "alice",
  });
  assert.deepEqual(parseMessage(JSON.parse(JSON.stringify(message))), message);
  assert.equal(messageText(message), "a");
  assert.throws(() => parseMessage({ content: "x", role: "king" }), /role must be user/);
  assert.throws(() => parseMessage(7), code("invalid_argument"));
});
