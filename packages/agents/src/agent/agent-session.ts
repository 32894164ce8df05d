import type { AgentContext, InputRequest } from "@weft/runtime/agent";
import type { HumanInputAnswer } from "./human-answer.ts";

/** A question that was put and not answered when the turn ended. */
export interface PendingRequest {
  readonly request: InputRequest;
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
}

/** What an agent keeps with its conversation: JSON, so that another process can go on with it. */
export interface AgentSessionState {
  readonly chatId?: string;
  readonly autoReplies?: Readonly<Record<string, number>>;
  readonly pending?: readonly PendingRequest[];
  /** Decisions on tool calls of a round that is not complete, by call id. */
  readonly decisions?: Readonly<Record<string, HumanInputAnswer>>;
  /** The message whose human step is done: a resumed turn does not ask again. */
  readonly askedFor?: string;
  /** Messages that were answers to questions; no model reads them as said. */
  readonly hidden?: readonly string[];
  /** Nested chats that were under way. */
  readonly nested?: unknown;
}

export function readSession(context: Pick<AgentContext, "session">): AgentSessionState {
  const { state } = context.session;
  return typeof state === "object" && state !== null ? state : {};
}

/** Lays `change` over the state; an `undefined` member goes. */
export function changeSession(
  context: Pick<AgentContext, "session">,
  change: { readonly [Key in keyof AgentSessionState]?: AgentSessionState[Key] | undefined },
): void {
  const merged: Record<string, unknown> = { ...readSession(context) };
  let isChanged = false;
  for (const [key, value] of Object.entries(change)) {
    if (value === merged[key]) continue;
    isChanged = true;
    if (value === undefined) delete merged[key];
    else merged[key] = value;
  }
  if (isChanged) context.session.state = Object.keys(merged).length === 0 ? undefined : merged;
}
