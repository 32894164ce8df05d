import assert from "node:assert/strict";
import { test } from "node:test";
import { captureSpans } from "@weft/tracing/internal";
import type { WeftError } from "@weft/tracing";
import {
  PushingAgent,
  createAgentContext,
  createMessage,
  pushReply,
  pushTurn,
  runTurn,
} from "../src/agent/index.ts";
import type { AgentContext, AgentEvent, AgentRequest, AgentYield, Emit } from "../src/agent/index.ts";

type Answer = (emit: Emit<AgentYield>, context: AgentContext) => Promise<void>;

class Pusher extends PushingAgent {
  readonly name: string = "pusher";
  readonly #answer: Answer;

  constructor(answer: Answer) {
    super();
    this.#answer = answer;
  }

  [pushReply](_request: AgentRequest, context: AgentContext, emit: Emit<AgentYield>): Promise<void> {
    return this.#answer(emit, context);
  }
}

const request: AgentRequest = { messages: [createMessage("go")], newFrom: 0, contextVariables: {} };

function read(agent: Pusher, context = createAgentContext()): AsyncGenerator<AgentEvent> {
  return runTurn(agent, request, context, { turn: 1 });
}

test("a pushing agent makes one event between two steps of its reader", async () => {
  let made = 0;
  const agent = new Pusher(async (emit) => {
    for (; made < 3; made++) await emit(`${made}`);
  });
  const reading = read(agent);
  assert.equal(made, 0);
  for (let step = 0; step < 3; step++) {
    const { value } = await reading.next();
    assert.ok(value?.type === "text-delta" && value.text === `${step}`);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(made, step);
  }
  assert.equal((await reading.next()).value?.type, "message");
  assert.equal((await reading.next()).done, true);
});

test("leaving a pushing agent's events fires its signal, and the turn is cancelled", async () => {
  using captured = captureSpans();
  const { promise: left, resolve } = Promise.withResolvers<unknown>();
  const agent = new Pusher(async (emit, { signal }) => {
    signal.addEventListener("abort", () => resolve(signal.reason));
    await emit("a");
    await left;
  });
  for await (const _ of read(agent)) break;
  assert.equal(((await left) as WeftError).code, "aborted");
  assert.equal(captured.spans()[0]?.attributes["weft.outcome"], "cancelled");
});

test("the caller's signal is the agent's, whoever reads it", async () => {
  const controller = new AbortController();
  const agent = new Pusher(async (emit, { signal }) => {
    await emit("a");
    signal.throwIfAborted();
  });
  const context = createAgentContext({ signal: controller.signal });
  const reading = agent.respond(request, context);
  assert.equal((await reading.next()).value, "a");
  controller.abort(new TypeError("enough"));
  await assert.rejects(reading.next(), /enough/u);
});

test("a failure reaches the reader after what was pushed before it", async () => {
  const agent = new Pusher(async (emit) => {
    void emit("a");
    void emit("b");
    throw new TypeError("broken");
  });
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const event of read(agent)) if (event.type === "text-delta") seen.push(event.text);
  }, /broken/u);
  assert.deepEqual(seen, ["a", "b"]);
});

test("a subclass with its own respond is asked by that one", async () => {
  class Loud extends Pusher {
    override async *respond(given: AgentRequest, context: AgentContext): AsyncGenerator<AgentYield> {
      for await (const step of super.respond(given, context))
        yield typeof step === "string" ? step.toUpperCase() : step;
    }
  }
  const agent = new Loud(async (emit) => emit("quiet"));
  const reply = await pushTurn(agent, request, createAgentContext(), { turn: 1 }, () => undefined);
  assert.equal(reply?.content, "QUIET");
});

test("what is pushed after the turn's end is refused", async () => {
  const controller = new AbortController();
  const go = Promise.withResolvers<void>();
  const late = Promise.withResolvers<unknown>();
  const agent = new Pusher(async (emit) => {
    controller.abort();
    await go.promise;
    await Promise.resolve()
      .then(() => emit("too late"))
      .then(late.resolve, late.reject);
  });
  const context = createAgentContext({ signal: controller.signal });
  const events: AgentEvent[] = [];
  const turn = pushTurn(agent, request, context, { turn: 1 }, (event) => void events.push(event));
  await assert.rejects(turn, { name: "AbortError" });
  go.resolve();
  await assert.rejects(late.promise, { name: "AbortError" });
  assert.deepEqual(events, []);
});
