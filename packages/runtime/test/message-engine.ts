/** Engines whose agents answer with messages, and callers that leave. */
import assert from "node:assert/strict";
import { AgentCard } from "@a2a-js/sdk";
import type { Message, SendMessageRequest, Task } from "@a2a-js/sdk";
import type { ServerCallContext } from "@a2a-js/sdk/server";
import { defineAgent, messageText } from "../src/agent/index.ts";
import type { Agent } from "../src/agent/index.ts";
import { createCallContext } from "../src/server/call-context.ts";
import { CallSignal } from "../src/task/call-signal.ts";
import { TaskEngine } from "../src/task/task-engine.ts";
import type { TaskEngineOptions } from "../src/task/task-engine.ts";
import { callContext } from "./engine-support.ts";
import { sendRequest } from "./requests.ts";
import { gate } from "./support.ts";

/** An engine that answers with messages. */
export function newEngine(agent: Agent, options: TaskEngineOptions = {}): TaskEngine {
  const card = AgentCard.fromJSON({ name: agent.name });
  return new TaskEngine(agent, () => card, { respondWith: "message", ...options });
}

export async function ask(
  engine: TaskEngine,
  request: SendMessageRequest | string,
  context = callContext(),
): Promise<Message> {
  const answer = await engine.sendMessage(
    typeof request === "string" ? sendRequest(request) : request,
    context,
  );
  assert.ok("parts" in answer, "a message was expected, not a task");
  return answer;
}

export async function askForTask(engine: TaskEngine, request: SendMessageRequest | string): Promise<Task> {
  const answer = await engine.sendMessage(
    typeof request === "string" ? sendRequest(request) : request,
    callContext(),
  );
  assert.ok("status" in answer, "a task was expected, not a message");
  return answer;
}

export function textIn({ parts }: Pick<Message, "parts">): string {
  return parts.map(({ content }) => (content?.$case === "text" ? content.value : "")).join("");
}

/** A call whose caller can leave. */
export function leavingContext(): { readonly context: ServerCallContext; readonly leave: () => void } {
  const signal = new CallSignal();
  const caller = { principal: null, remoteAddress: "127.0.0.1" };
  const context = createCallContext({
    binding: "jsonrpc",
    headers: { "a2a-version": "1.0" },
    caller,
    signal,
  });
  return { context, leave: () => signal.abort() };
}

/** Sends a message as a caller who can leave; resolves when its turn has begun, as `next` does. */
export async function askAndWait(
  engine: TaskEngine,
  request: SendMessageRequest,
  next: () => Promise<void>,
): Promise<{ readonly leave: () => void; readonly left: Promise<unknown> }> {
  const { context, leave } = leavingContext();
  const begun = next();
  const left = engine.sendMessage(request, context).catch((error: unknown) => error);
  await begun;
  return { leave, left };
}

/** Sends a message, and leaves when its turn has begun. */
export async function giveUp(...given: Parameters<typeof askAndWait>): Promise<void> {
  const { leave, left } = await askAndWait(...given);
  leave();
  await left;
}

/** Counts its turns; each waits until it is released, or stopped. */
export function countingAgent() {
  const turns: { readonly signal: AbortSignal; readonly release: () => void }[] = [];
  let started = gate();
  const agent = defineAgent({
    name: "counting",
    async *respond({ messages }, { signal }) {
      const held = gate();
      signal.addEventListener("abort", () => held.reject(signal.reason as Error));
      turns.push({ signal, release: held.resolve });
      const number = turns.length;
      started.resolve();
      started = gate();
      await held.promise;
      yield `${number}: ${messageText(messages.at(-1)!)}`;
    },
  });
  const next = (): Promise<void> => started.promise;
  return { agent, turns, next };
}
