/*
 * ContextSession: what a service keeps of one A2A context, and its order.
 *
 * Job: one history, one state and one turn at a time per (owner, context).
 * Owns: the session's history and state, and what became of each message id. Does not own: when it is stored.
 *
 * I1  Turns of one context never overlap; those of different contexts do.
 * I2  A session in use is never forgotten; of the idle ones the longest unused goes first. Where the store outlives the
 *     process an idle session is asked for what is new: another process may have gone on with it.
 */
import { WeftError } from "@weft/tracing";
import { History } from "../agent/history.ts";
import type { AgentMessage, ContentPart } from "../agent/message.ts";
import { parseMessage } from "../agent/parse-message.ts";
import type { ContextKey, HistoryRow, StoredContext, TaskCommit, TaskStore } from "../store/task-store.ts";

const maxMessageIds = 10_000;

interface StoredSession {
  readonly historyId: string;
  readonly state?: unknown;
  readonly turns: number;
}

/** One of very many: a service keeps ten thousand idle ones, so each is few objects. */
export class ContextSession<T> {
  readonly scope: string;
  readonly owner: string;
  readonly contextId: string;
  readonly history: History;
  /** The agent's own, JSON (AgentContext.session). */
  readonly session: { state: unknown };
  turns: number;
  /** Callers inside `ContextSessions.use`. */
  claims = 0;
  /** Of the turn that came last, while one runs or waits. */
  #tail: Promise<unknown> | undefined;
  #running = 0;
  /** The store's place of the history's first message: what was before it is forgotten. */
  readonly #firstPlace: number;
  /** Messages that are stored. */
  #stored: number;
  /** As stored last. */
  #body: string | undefined;
  /** What became of the message that came first; most conversations with a service have no other. */
  #firstId: string | undefined;
  #first: T | undefined;
  /** The same of those after it. */
  #others: Map<string, T> | undefined;

  constructor(key: ContextKey, stored?: StoredContext) {
    this.scope = key.scope;
    this.owner = key.owner;
    this.contextId = key.contextId;
    const body = stored && (JSON.parse(stored.body) as StoredSession);
    this.#firstPlace = stored?.history[0]?.place ?? 0;
    this.history = new History(
      // One whose beginning is forgotten is another: a place of a history always holds the same message.
      body && {
        messages: stored.history.map(decodeMessage),
        ...(this.#firstPlace === 0 ? { id: body.historyId } : {}),
      },
    );
    this.session = { state: body?.state };
    this.turns = body?.turns ?? 0;
    this.#stored = this.history.length;
    this.#body = stored?.body;
  }

  get key(): ContextKey {
    const { scope, owner, contextId } = this;
    return { scope, owner, contextId };
  }

  /** The place of its last stored message: from there on the store is to be asked what became of it. */
  get lastPlace(): number {
    return Math.max(0, this.#firstPlace + this.#stored - 1);
  }

  /** Takes what others added, as read from {@link lastPlace} on; false when it is another conversation by now. */
  goOn({ body, history }: StoredContext): boolean {
    const { historyId, state, turns } = JSON.parse(body) as StoredSession;
    if (historyId !== this.history.id || this.#stored !== this.history.length) return false;
    const added = history.map(decodeMessage);
    if (this.#stored > 0) {
      const last = added.shift();
      if (history[0]?.place !== this.lastPlace || last?.id !== this.history.messages.at(-1)!.id) return false;
    }
    for (const message of added) this.history.append(message);
    this.#stored = this.history.length;
    this.#body = body;
    this.session.state = state;
    this.turns = turns;
    // What became of its messages is the store's to say too.
    this.#forgetFirst();
    this.#others = undefined;
    return true;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.claims === 0;
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
    return this.#firstId === messageId ? this.#first : this.#others?.get(messageId);
  }

  take(messageId: string, by: T): void {
    if (this.#firstId === messageId || (this.#firstId === undefined && !this.#others)) {
      this.#firstId = messageId;
      this.#first = by;
      return;
    }
    const others = (this.#others ??= new Map());
    others.set(messageId, by);
    if (others.size < maxMessageIds) return;
    if (this.#firstId !== undefined) this.#forgetFirst();
    else others.delete(others.keys().next().value);
  }

  /** Takes back {@link take}, unless the message was taken again since. */
  forget(messageId: string, by: T): void {
    if (this.taken(messageId) !== by) return;
    if (this.#firstId === messageId) this.#forgetFirst();
    else this.#others?.delete(messageId);
  }

  #forgetFirst(): void {
    this.#firstId = undefined;
    this.#first = undefined;
  }

  /**
   * What is to be stored of it now: its state, and the messages since the last time. Nothing where nothing changed: others
   * may have gone on with it.
   *
   * @throws WeftError `invalid_argument` for a state that is not JSON; the one before is back then
   */
  unstored(): Pick<TaskCommit, "context" | "history"> {
    const { history } = this;
    const body = this.#encode();
    const fresh = history.messages.slice(this.#stored);
    if (fresh.length === 0 && body === this.#body) return {};
    const first = this.#firstPlace + this.#stored;
    const rows = fresh.map((message, at) => ({ place: first + at, body: encodeMessage(message) }));
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

/** A session that is being read. */
class Opening<T> {
  readonly session: Promise<ContextSession<T>>;
  /** Callers who wait for it. */
  claims = 0;

  constructor(session: Promise<ContextSession<T>>) {
    this.session = session;
  }
}

export class ContextSessions<T> {
  /** The longest unused first. */
  readonly #held = new Map<string, ContextSession<T> | Opening<T>>();
  readonly #max: number;
  readonly #store: TaskStore;

  constructor(max: number, store: TaskStore) {
    this.#max = max;
    this.#store = store;
  }

  /** Gives `fn` the session of a context, made when it is new. A context belongs to its owner: another's is another session. */
  use<R>(key: ContextKey, fn: (session: ContextSession<T>) => R | Promise<R>): R | Promise<R> {
    const name = nameOf(key);
    const known = this.#held.get(name);
    const held = known && !this.#isOld(known) ? known : this.#open(key, name, known);
    if (known) this.#held.delete(name);
    // Before it is there: it is not in use yet, and may be the only one that is not.
    if (this.#held.size >= this.#max) this.#forgetOldest();
    this.#held.set(name, held);
    if (held instanceof Opening) return this.#useOpened(held, fn);
    const used = fn(held);
    if (!(used instanceof Promise)) return used;
    held.claims++;
    return used.finally(() => held.claims--);
  }

  /** Drops what a fenced worker left behind. */
  forget(key: ContextKey): void {
    this.#held.delete(nameOf(key));
  }

  async #useOpened<R>(opening: Opening<T>, fn: (session: ContextSession<T>) => R | Promise<R>): Promise<R> {
    opening.claims++;
    const session = await opening.session;
    try {
      return await fn(session);
    } finally {
      session.claims--;
    }
  }

  #isOld(held: ContextSession<T> | Opening<T>): boolean {
    return this.#store.isDurable && isIdle(held);
  }

  #open(
    key: ContextKey,
    name: string,
    known: ContextSession<T> | Opening<T> | undefined,
  ): ContextSession<T> | Opening<T> {
    if (!this.#store.isDurable) return new ContextSession(key);
    const before = known instanceof ContextSession ? known : undefined;
    const opening: Opening<T> = new Opening(
      this.#read(key, before).then(
        (session) => {
          session.claims = opening.claims;
          if (this.#held.get(name) === opening) this.#held.set(name, session);
          return session;
        },
        (error: unknown) => {
          if (this.#held.get(name) === opening) this.#held.delete(name);
          throw error;
        },
      ),
    );
    return opening;
  }

  /** Of one that is known only what is new: what a conversation costs a turn does not grow with it. */
  async #read(key: ContextKey, known: ContextSession<T> | undefined): Promise<ContextSession<T>> {
    const from = known?.lastPlace ?? 0;
    const stored = await this.#store.context(key, from);
    if (stored && known?.goOn(stored)) return known;
    return new ContextSession(key, from === 0 ? stored : await this.#store.context(key, 0));
  }

  /** Several at once: a map that loses its first entry again and again is slow to find its first. */
  #forgetOldest(): void {
    let left = Math.ceil(this.#max / 20);
    for (const [name, held] of this.#held) {
      if (!isIdle(held)) continue;
      this.#held.delete(name);
      if (--left === 0) return;
    }
  }
}

/** Of one text for each pair, whatever stands in them. */
function nameOf({ owner, contextId }: ContextKey): string {
  return `${contextId.length} ${contextId}${owner}`;
}

function isIdle(held: ContextSession<unknown> | Opening<unknown>): boolean {
  return held instanceof ContextSession && held.isIdle;
}

function decodeMessage({ body }: HistoryRow): AgentMessage {
  return parseMessage(JSON.parse(body));
}

/** Bytes as base64; `parseMessage` takes them back. */
function encodeMessage(message: AgentMessage): string {
  if (!Array.isArray(message.content)) return JSON.stringify(message);
  const content = (message.content as readonly ContentPart[]).map((part) =>
    part.type === "file" && part.data ? { ...part, data: Buffer.from(part.data).toString("base64") } : part,
  );
  return JSON.stringify({ ...message, content });
}
