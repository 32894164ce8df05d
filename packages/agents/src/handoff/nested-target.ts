import type { Agent, AgentContext, AgentRequest, AgentYield } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { callerAsker } from "../agent/caller-asker.ts";
import type { NestedChat } from "../chat/nested-chat.ts";
import { nestedStep } from "../chat/nested-step.ts";
import { scopeOf } from "../chat/scope.ts";

/** Speaks for `parent` by holding the chats a `target.nested` names; its one message is their last summary. */
export function nestedSpeaker(parent: Agent, chats: readonly NestedChat[]): Agent {
  // The chats are the parent's: it is who talks in them.
  const hold = nestedStep(parent, chats);
  return {
    name: `${parent.name}_nested`,
    async *respond(request: AgentRequest, context: AgentContext): AsyncGenerator<AgentYield> {
      const scope = scopeOf(context);
      const asker = scope ? scope.asker : callerAsker(undefined, undefined);
      const turn = {
        request,
        context,
        messages: request.messages,
        systemMessage: undefined,
        sender: parent,
        asker,
      };
      const outcome = yield* hold(turn);
      if (outcome?.reply === null) {
        yield { type: "end", endedBy: outcome.endedBy ?? "noReply" };
        return;
      }
      const reply = outcome?.reply ?? "";
      const text = typeof reply === "string" ? reply : messageText({ content: reply.content as string });
      yield { content: text };
    },
  };
}
