/*
 * ContextSession: what a service keeps of one A2A context, and its order.
 *
 * Job: one history, one state and one turn at a time per (owner, context).
 * Owns: the session's history and state, and which message ids it has taken.
 *
 * I1  Turns of one context never overlap; those of different contexts do.
 * I2  A session in use is never forgotten; of the idle ones the longest unused goes first.
 */
import { History } from "../agent/history.ts";

const maxMessageIds = 10_000;

export class ContextSession<T> {
  readonly history = new History();
  /** The agent's own, JSON (AgentContext.session). */
  readonly session: { state: unknown } = { state: undefined };
  turns = 0;
  #tail: Promise<void> = Promise.resolve();
  #running = 0;
  readonly #taken = new Map<string, T>();

  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Runs `turn` after all that came before it. `turn` must not throw. */
  enqueue(turn: () => Promise<void>): void {
    this.#running++;
    this.#tail = this.#tail.then(turn).finally(() => this.#running--);
  }

  /** What was made of a message id earlier, if anything. */
  taken(messageId: string): T | undefined {
    return this.#taken.get(messageId);
  }

  take(messageId: string, by: T): void {
    this.#taken.set(messageId, by);
    if (this.#taken.size > maxMessageIds) this.#taken.delete(this.#taken.keys().next().value!);
  }
}

export class ContextSessions<T> {
  readonly #sessions = new Map<string, ContextSession<T>>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The session of a context, made when it is new. A context belongs to its owner: another's is another session. */
  open(owner: string, contextId: string): ContextSession<T> {
    const key = JSON.stringify([owner, contextId]);
    const session = this.#sessions.get(key) ?? new ContextSession<T>();
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size > this.#max) this.#forgetOldest();
    return session;
  }

  #forgetOldest(): void {
    for (const [key, session] of this.#sessions) {
      if (!session.isIdle) continue;
      this.#sessions.delete(key);
      return;
    }
  }
}
