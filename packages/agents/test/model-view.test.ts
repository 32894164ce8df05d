import assert from "node:assert/strict";
import { test } from "node:test";
import { createAgentContext, createMessage } from "@weft/runtime/agent";
import type { AgentContext } from "@weft/runtime/agent";
import { captureSpans, openSpan } from "@weft/tracing/internal";
import { ModelView } from "../src/agent/model-view.ts";
import type { ReplyTurn } from "../src/agent/reply-chain.ts";
import { setScope } from "../src/chat/scope.ts";

const transfers: ReadonlySet<string> = new Set(["transfer_to_b"]);
const sender = {
  name: "group",
  // eslint-disable-next-line require-yield -- never asked
  async *respond() {
    throw new TypeError("not asked");
  },
};

function turnIn(context: AgentContext, messages = context.history.messages): ReplyTurn {
  const request = { messages, newFrom: 0, contextVariables: {} };
  const emit = (): void => undefined;
  return { request, context, messages, systemMessage: "", sender, asker: undefined, emit };
}

/** A history in which places 1 and 2 are a transfer and its answer. */
function historyWithTransfer(): AgentContext {
  const context = setScope(createAgentContext(), { sender, usesHandoffs: true });
  const call = { id: "c", name: "transfer_to_b", arguments: "{}" };
  const response = { toolCallId: "c", name: "transfer_to_b", content: "The conversation goes to b." };
  for (const message of [
    createMessage("first"),
    createMessage({ toolCalls: [call] }),
    createMessage({ toolResponses: [response] }),
    createMessage("second"),
  ]) {
    context.history.append(message);
  }
  return context;
}

test("[H3] A view without plumbing is named by places, and costs what is new in the next turn", () => {
  using _ = captureSpans();
  openSpan({ name: "turn" }).run(() => {
    const context = historyWithTransfer();
    const { history } = context;
    const first = new ModelView(turnIn(context), transfers);
    assert.deepEqual(first.runs(), [`${history.id}:0-0`, `${history.id}:3-3`]);
    assert.equal(first.freshFrom, 0);
    history.append(createMessage("third"));
    const second = new ModelView(turnIn(context), transfers);
    assert.equal(second.messages, first.messages);
    assert.deepEqual(second.runs(), [`${history.id}:0-0`, `${history.id}:3-4`]);
    assert.equal(second.freshFrom, 2);
  });
});

test("[H3] The rounds of a turn are seen by its model, transfers too, and by no later one", () => {
  const context = historyWithTransfer();
  const view = new ModelView(turnIn(context), transfers);
  const call = createMessage({ toolCalls: [{ id: "d", name: "transfer_to_b", arguments: "{}" }] });
  view.append(call);
  assert.equal(view.messages.at(-1), call);
  assert.equal(view.freshFrom, 2);
  const texts = new ModelView(turnIn(context), transfers).messages.map(({ content }) => content);
  assert.deepEqual(texts, ["first", "second"]);
});

test("[R2] What a hook put in place of a message is named by its id, the rest by places", () => {
  using _ = captureSpans();
  openSpan({ name: "turn" }).run(() => {
    const context = createAgentContext();
    const { history } = context;
    for (const text of ["a", "b", "c"]) history.append(createMessage(text));
    const other = createMessage("rewritten");
    const messages = [history.messages[0]!, other, history.messages[2]!];
    const view = new ModelView(turnIn(context, messages), transfers);
    assert.deepEqual(view.runs(), [`${history.id}:0-0`, `id:${other.id}`, `${history.id}:2-2`]);
  });
});
