import type { AgentMessage, MessageInput, ToolCall } from "./message.ts";
import type { UsageReport } from "./usage.ts";

/** Why a chat ended. */
export type EndedBy =
  | "termination"
  | "maxTurns"
  | "maxRound"
  | "maxAutoReply"
  | "noReply"
  | "noEligibleSpeaker"
  | "human"
  | "budget"
  | "suspended"
  | "aborted"
  | "error";

/** A question to a human. Its `id` names it in `resume({ answers })`. */
export interface InputRequest {
  readonly id: string;
  readonly kind: "reply" | "approval" | "speaker";
  readonly agent: string;
  readonly prompt: string;
  readonly toolCall?: ToolCall;
  readonly candidates?: readonly string[];
}

/** What happens in a turn, without where it happened. */
export type AgentEventBody =
  | { readonly type: "message"; readonly text: string; readonly message: AgentMessage }
  /** `messageId`: the message this text is part of. {@link runTurn} fills it in when the agent leaves it out. */
  | { readonly type: "text-delta"; readonly text: string; readonly messageId?: string }
  | { readonly type: "reasoning-delta"; readonly text: string }
  | {
      readonly type: "tool-call";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly input: unknown;
    }
  | {
      readonly type: "tool-result";
      readonly toolCallId: string;
      readonly output?: unknown;
      readonly error?: string;
    }
  | {
      readonly type: "speaker-selected";
      readonly method: string;
      readonly candidates: readonly string[];
      readonly chosen: string | null;
      readonly reason?: string;
    }
  | { readonly type: "handoff"; readonly to: string; readonly reason?: string }
  | ({ readonly type: "input-required" } & InputRequest)
  /** A partial message is taken back: forget the text shown for `messageId`. */
  | { readonly type: "reset"; readonly messageId: string }
  | ({ readonly type: "usage" } & UsageReport)
  | { readonly type: "end"; readonly endedBy: EndedBy };

/** Where an event happened. */
export interface EventOrigin {
  /** The agent's name. */
  readonly from: string;
  /** The turn's number in its chat; the first is 1. */
  readonly turn: number;
  /** The turn's span. All zeros or empty when nothing traces. */
  readonly spanId: string;
  /** The chats it came through, outermost first: nested and remote chats. Empty in the chat itself. */
  readonly path: readonly string[];
}

export type AgentEvent = AgentEventBody & EventOrigin;

/**
 * What `respond` may yield: a string is a text delta; a message (id and role may be left out) is the reply; an event without origin gets this
 * turn's; an event with its origin (from a nested chat) passes, with this agent's name put in front of its path.
 */
export type AgentYield = string | Exclude<MessageInput, string> | AgentEventBody | AgentEvent;

export function isNestedEvent(event: AgentEventBody | AgentEvent): event is AgentEvent {
  return "from" in event && "path" in event;
}
