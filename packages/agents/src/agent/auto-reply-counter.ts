import type { AgentContext } from "@weft/runtime/agent";
import { scopeOf } from "../chat/scope.ts";
import { changeSession, readSession } from "./agent-session.ts";

/**
 * Automatic replies per sender (SEMANTICS T3), kept as JSON with the conversation's context. A new chat starts at 0.
 * Outside a chat of this process (a served agent) nothing is counted: the caller's chat holds its own limits, and an
 * A2A context may live for years.
 */
export class AutoReplyCounter {
  readonly #context: AgentContext;
  readonly #sender: string;
  readonly #chatId: string | undefined;

  constructor(context: AgentContext, sender: string) {
    this.#context = context;
    this.#sender = sender;
    const scope = scopeOf(context);
    this.#chatId = scope && (scope.chatId ?? "");
  }

  get count(): number {
    return this.#counts()[this.#sender] ?? 0;
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
    changeSession(this.#context, { chatId: this.#chatId, autoReplies });
  }

  #counts(): Readonly<Record<string, number>> {
    const { autoReplies, chatId } = readSession(this.#context);
    return autoReplies !== undefined && chatId === this.#chatId ? autoReplies : {};
  }
}
