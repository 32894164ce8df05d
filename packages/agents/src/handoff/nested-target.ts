import type { Agent, AgentContext, AgentRequest, AgentYield, Emit } from "@weft/runtime/agent";
import { PushingAgent, messageText, pushReply } from "@weft/runtime/agent";
import { callerAsker } from "../agent/caller-asker.ts";
import type { ReplyStep } from "../agent/reply-chain.ts";
import type { NestedChat } from "../chat/nested-chat.ts";
import { nestedStep } from "../chat/nested-step.ts";
import { scopeOf } from "../chat/scope.ts";

/**
 * Speaks for `parent` by holding the chats a `target.nested` names; its one message is their last summary. One for each
 * parent of a conversation: what it keeps of chats that were suspended stands under its name.
 */
export class NestedSpeaker extends PushingAgent {
  readonly name: string;
  readonly parent: Agent;
  /** The chats of its next turn. */
  chats: readonly NestedChat[] = [];
  #hold: ReplyStep;

  constructor(parent: Agent) {
    super();
    this.parent = parent;
    this.name = `${parent.name}_nested`;
    this.#hold = nestedStep(parent, []);
  }

  /** Raises `invalid_argument` for chats that the parent cannot hold. */
  take(chats: readonly NestedChat[]): this {
    // The chats are the parent's: it is who talks in them.
    this.#hold = nestedStep(this.parent, chats);
    this.chats = chats;
    return this;
  }

  async [pushReply](request: AgentRequest, context: AgentContext, emit: Emit<AgentYield>): Promise<void> {
    const scope = scopeOf(context);
    const outcome = await this.#hold({
      request,
      context,
      messages: request.messages,
      systemMessage: undefined,
      sender: this.parent,
      asker: scope ? scope.asker : callerAsker(undefined, undefined),
      emit,
    });
    if (outcome?.reply === null) return emit({ type: "end", endedBy: outcome.endedBy ?? "noReply" });
    const reply = outcome?.reply ?? "";
    const text = typeof reply === "string" ? reply : messageText({ content: reply.content as string });
    await emit({ content: text });
  }
}
