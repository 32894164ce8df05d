import type { Agent, AgentMessage, MessageInput } from "@weft/runtime/agent";
import type { CarryoverItem } from "./carryover.ts";
import type { SummaryOptions } from "./summary.ts";

/** One of the chats that an agent holds with others before it answers (SEMANTICS C6). */
export interface NestedChat extends SummaryOptions {
  readonly recipient: Agent;
  /** Default for the first: what is answered. A later one without a message is left out. */
  readonly message?:
    | MessageInput
    | ((
        messages: readonly AgentMessage[],
        contextVariables: Readonly<Record<string, unknown>>,
      ) => MessageInput)
    | undefined;
  /** Round trips. */
  readonly maxTurns?: number;
  readonly carryover?: CarryoverItem | readonly CarryoverItem[];
}
