/*
 * ContextSession: what a service keeps of one A2A context, and its order.
 *
 * Job: one history, one state and one turn at a time per (owner, context).
 * Owns: the session's history and state, and what became of each message id. Does not own: when it is stored.
 *
 * I1  Turns of one context never overlap; those of different contexts do.
 * I2  A session in use is never forgotten; of the idle ones the longest unused goes first. Where the store outlives the
 *     process an idle session is read again: another process may have gone on with it.
 */
import { WeftError } from "@weft/tracing";
import { History } from "../agent/history.ts";
import type { AgentMessage, ContentPart } from "../agent/message.ts";
import { parseMessage } from "../agent/parse-message.ts";
import type { ContextKey, TaskCommit, TaskStore } from "../store/task-store.ts";

const maxMessageIds = 10_000;

interface StoredSession {
  readonly historyId: string;
  readonly state?: unknown;
  readonly turns: number;
}

export class ContextSession<T> {
  readonly key: ContextKey;
  readonly history: History;
  /** The agent's own, JSON (AgentContext.session). */
  readonly session: { state: unknown };
  turns: number;
  /** Of the turn that came last, while one runs or waits. */
  #tail: Promise<unknown> | undefined;
  #running = 0;
  #stored: number;
  /** As stored last. */
  #body: string | undefined;
  readonly #taken = new Map<string, T>();

  constructor(key: ContextKey, stored?: { readonly body: string; readonly history: readonly string[] }) {
    this.key = key;
    const body = stored && (JSON.parse(stored.body) as StoredSession);
    this.history = new History(
      body && { id: body.historyId, messages: stored.history.map((text) => parseMessage(JSON.parse(text))) },
    );
    this.session = { state: body?.state };
    this.turns = body?.turns ?? 0;
    this.#stored = this.history.length;
    this.#body = stored?.body;
  }

  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Runs `turn` after all that came before it, at once if there is none. `turn` must not throw. */
  enqueue(turn: () => Promise<void>): void {
    this.#running++;
    const done = this.#tail ? this.#tail.then(turn) : turn();
    this.#tail = done.then(() => {
      if (--this.#running === 0) this.#tail = undefined;
    });
  }

  /** What was made of a message id earlier, if anything. */
  taken(messageId: string): T | undefined {
    return this.#taken.get(messageId);
  }

  take(messageId: string, by: T): void {
    this.#taken.set(messageId, by);
    if (this.#taken.size > maxMessageIds) this.#taken.delete(this.#taken.keys().next().value!);
  }

  /** Takes back {@link take}, unless the message was taken again since. */
  forget(messageId: string, by: T): void {
    if (this.#taken.get(messageId) === by) this.#taken.delete(messageId);
  }

  /**
   * What is to be stored of it now: its state, and the messages since the last time.
   *
   * @throws WeftError `invalid_argument` for a state that is not JSON; the one before is back then
   */
  unstored(): Required<Pick<TaskCommit, "context" | "history">> {
    const { history } = this;
    const body = this.#encode();
    const fresh = history.messages.slice(this.#stored);
    const rows = fresh.map((message, at) => ({ place: this.#stored + at, body: encodeMessage(message) }));
    this.#stored = history.length;
    this.#body = body;
    return { context: { ...this.key, body }, history: rows };
  }

  #encode(): string {
    const { history, session, turns } = this;
    const body: StoredSession = { historyId: history.id, state: session.state, turns };
    try {
      return JSON.stringify(body);
    } catch (error) {
      session.state = this.#body && (JSON.parse(this.#body) as StoredSession).state;
      const why = WeftError.from(error).message;
      throw new WeftError("invalid_argument", `The agent's session.state is not JSON: ${why}`, {
        cause: error,
      });
    }
  }
}

interface Slot<T> {
  /** Absent once it is through, or where nothing is stored that a session could be read from. */
  opening: Promise<ContextSession<T>> | undefined;
  session: ContextSession<T> | undefined;
  /** Callers inside `use`. */
  claims: number;
}

export class ContextSessions<T> {
  readonly #slots = new Map<string, Slot<T>>();
  readonly #max: number;
  readonly #store: TaskStore;

  constructor(max: number, store: TaskStore) {
    this.#max = max;
    this.#store = store;
  }

  /** Gives `fn` the session of a context, made when it is new. A context belongs to its owner: another's is another session. */
  use<R>(key: ContextKey, fn: (session: ContextSession<T>) => R | Promise<R>): R | Promise<R> {
    const name = slotName(key);
    const known = this.#slots.get(name);
    const slot = known && !this.#isOld(known) ? known : this.#open(key);
    if (known) this.#slots.delete(name);
    // Before it is there: it is not in use yet, and may be the only one that is not.
    if (this.#slots.size >= this.#max) this.#forgetOldest();
    this.#slots.set(name, slot);
    const used = slot.session ? fn(slot.session) : slot.opening!.then(fn);
    return used instanceof Promise ? this.#claim(name, slot, used) : used;
  }

  /** Drops what a fenced worker left behind. */
  forget(key: ContextKey): void {
    this.#slots.delete(slotName(key));
  }

  async #claim<R>(name: string, slot: Slot<T>, used: Promise<R>): Promise<R> {
    slot.claims++;
    try {
      return await used;
    } finally {
      slot.claims--;
      if (!slot.session && this.#slots.get(name) === slot) this.#slots.delete(name);
    }
  }

  #isOld(slot: Slot<T>): boolean {
    return this.#store.isDurable && isIdle(slot);
  }

  #open(key: ContextKey): Slot<T> {
    if (!this.#store.isDurable) return { opening: undefined, session: new ContextSession(key), claims: 0 };
    const slot: Slot<T> = { opening: undefined, session: undefined, claims: 0 };
    slot.opening = this.#store.context(key).then((stored) => {
      slot.opening = undefined;
      return (slot.session = new ContextSession(key, stored));
    });
    return slot;
  }

  /** Several at once: a map that loses its first entry again and again is slow to find its first. */
  #forgetOldest(): void {
    let left = Math.ceil(this.#max / 20);
    for (const [name, slot] of this.#slots) {
      if (!isIdle(slot)) continue;
      this.#slots.delete(name);
      if (--left === 0) return;
    }
  }
}

/** Of one text for each pair, whatever stands in them. */
function slotName({ owner, contextId }: ContextKey): string {
  return `${contextId.length} ${contextId}${owner}`;
}

function isIdle(slot: Slot<unknown>): boolean {
  return slot.claims === 0 && slot.session?.isIdle === true;
}

/** Bytes as base64; `parseMessage` takes them back. */
function encodeMessage(message: AgentMessage): string {
  if (!Array.isArray(message.content)) return JSON.stringify(message);
  const content = (message.content as readonly ContentPart[]).map((part) =>
    part.type === "file" && part.data ? { ...part, data: Buffer.from(part.data).toString("base64") } : part,
  );
  return JSON.stringify({ ...message, content });
}
