import { defineAgent } from "@weft/agents";
import type { Agent } from "@weft/runtime/agent";

import type { Recording } from "./conversations.ts";

/**
 * An agent that answers from a recording. It sees every message of the chat, so the length of its view says which
 * message is due; that this one is its own is checked, so a mixed-up view fails instead of passing by luck.
 */
export function recordedAgent(name: string, { id, history }: Recording): Agent {
  return defineAgent({
    name,
    description: `${name} of ${id}`,
    async *respond({ messages }) {
      const due = history[messages.length];
      if (due?.name !== name) {
        throw new TypeError(
          `${name} was asked after ${messages.length} messages: it is the turn of ${due?.name}`,
        );
      }
      yield* due.content.match(/[\s\S]{1,500}/gu) ?? [];
    },
  });
}
