import type { AgentContext } from "@weft/runtime/agent";
import { scopeOf } from "../chat/scope.ts";

/**
 * Automatic replies per sender (SEMANTICS T3), kept as JSON with the conversation's context. A new chat starts at 0.
 * Outside a chat of this process (a served agent) nothing is counted: the caller's chat holds its own limits, and an
 * A2A context may live for years.
 */
export class AutoReplyCounter {
  readonly #session: AgentContext["session"];
  readonly #sender: string;
  readonly #chatId: string | undefined;

  constructor(context: AgentContext, sender: string) {
    this.#session = context.session;
    this.#sender = sender;
    const scope = scopeOf(context);
    this.#chatId = scope && (scope.chatId ?? "");
  }

  get count(): number {
    const count = this.#counts()[this.#sender];
    return typeof count === "number" ? count : 0;
  }

  increment(): void {
    this.#set(this.count + 1);
  }

  reset(): void {
    this.#set(0);
  }

  #set(count: number): void {
    if (this.#chatId === undefined) return;
    const autoReplies = { ...this.#counts(), [this.#sender]: count };
    this.#session.state = { ...this.#state(), chatId: this.#chatId, autoReplies };
  }

  #counts(): Record<string, unknown> {
    const { autoReplies, chatId } = this.#state();
    return isRecord(autoReplies) && chatId === this.#chatId ? autoReplies : {};
  }

  #state(): Record<string, unknown> {
    return isRecord(this.#session.state) ? this.#session.state : {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
