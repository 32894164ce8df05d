import type { AgentMessage, AgentRequest } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import type { Asker } from "../chat/scope.ts";
import type { HumanInputAnswer } from "./human-answer.ts";

/** What the caller of a service says to a question: its text, or a data part with a decision. */
export function readCallerAnswer(message: AgentMessage): HumanInputAnswer {
  const parts = Array.isArray(message.content)
    ? (message.content as readonly { type: string; data?: unknown }[])
    : [];
  for (const { type, data } of parts) {
    const { approved } = (type === "data" ? (data ?? {}) : {}) as { readonly approved?: unknown };
    if (typeof approved === "boolean") return data as { readonly approved: boolean };
  }
  return messageText(message);
}

/** Under `serve` the caller is asked: a question ends the task's turn as INPUT_REQUIRED, its next message answers. */
export function callerAsker(pendingId: string | undefined, answer: HumanInputAnswer | undefined): Asker {
  return {
    known: (id) => (id === pendingId ? answer : undefined),
    answerTo: () => Promise.resolve("suspend"),
  };
}

/** The message that answers what waits: the last one that is new and not the agent's own. */
export function answeringMessage(request: AgentRequest): AgentMessage | undefined {
  return request.messages.slice(request.newFrom).findLast(({ role }) => role !== "assistant");
}
