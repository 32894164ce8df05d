/*
 * One message at a time, outside any run: `generateReply`, and AG2's `send` and `receive`.
 */
import type { Agent, AgentMessage, MessageInput } from "@weft/runtime/agent";
import { createAgentContext, createMessage, parseMessage } from "@weft/runtime/agent";
import { openRoomBetween } from "../chat/last-chats.ts";
import { setScope } from "../chat/scope.ts";
import { trace, INVALID_SPAN_CONTEXT } from "@opentelemetry/api";
import { randomUUID } from "node:crypto";
import { activeContext, conversationOf, injectCarrier } from "@weft/tracing/internal";

export interface GenerateReplyOptions {
  readonly sender?: Agent | string;
  readonly signal?: AbortSignal;
  readonly contextVariables?: Record<string, unknown>;
}

interface Speaker extends Agent {
  readonly contextVariables: Readonly<Record<string, unknown>>;
}

export async function generateReply(
  agent: Speaker,
  messages: readonly MessageInput[],
  options: GenerateReplyOptions,
): Promise<AgentMessage | undefined> {
  const context = createAgentContext(options.signal ? { signal: options.signal } : {});
  if (typeof options.sender === "object") setScope(context, { sender: options.sender });
  for (const message of messages) context.history.append(parseMessage(message));
  const request = {
    messages: context.history.messages,
    newFrom: Math.max(0, context.history.length - 1),
    contextVariables: options.contextVariables ?? { ...agent.contextVariables },
  };
  for await (const step of agent.respond(request, context)) {
    if (typeof step === "object" && "type" in step && step.type === "message")
      return createMessage(step.message);
  }
  return undefined;
}

interface SendOptions {
  readonly requestReply?: boolean;
  readonly signal?: AbortSignal;
}

/** Puts a message into the chat the two keep, and gives back the answer when one is asked for. */
export async function sendMessage(
  sender: Agent,
  message: MessageInput,
  recipient: Agent,
  { requestReply = false, signal = new AbortController().signal }: SendOptions,
): Promise<AgentMessage | undefined> {
  const room = openRoomBetween(sender, recipient);
  const span = trace.getSpan(activeContext()) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  const given = typeof message === "string" ? { content: message } : message;
  room.add(createMessage({ ...given, role: "assistant", name: sender.name }), span);
  if (!requestReply) return undefined;
  const { message: reply } = await room.turn(recipient, {
    signal,
    conversationId: conversationOf() ?? randomUUID(),
    contextVariables: { ...(recipient as Partial<Speaker>).contextVariables },
    hop: { carrier: injectCarrier(), hops: 0 },
    turn: room.log.length,
    path: [],
    scope: { sender, chatId: room.log.id },
    emit: () => undefined,
  });
  return reply;
}

export function receiveMessage(
  recipient: Agent,
  message: MessageInput,
  sender: Agent,
  { requestReply = true, ...options }: SendOptions,
): Promise<AgentMessage | undefined> {
  return sendMessage(sender, message, recipient, { ...options, requestReply });
}
