import type { AgentMessage } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";

export type IsTerminationMessage = (message: AgentMessage) => boolean;

/** Exactly the word, surrounding whitespace aside: a message that speaks of it does not end a chat (SEMANTICS T1). */
export function isDefaultTermination(message: AgentMessage): boolean {
  return messageText(message).trim() === "TERMINATE";
}
