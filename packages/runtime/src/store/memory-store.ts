/*
 * MemoryStore: tasks that live as long as their process.
 *
 * Job: the store's contract over maps, without encoding anything.
 * Owns: the rows. Does not own: what is in them.
 *
 * I1  A commit is one synchronous step: all of it, or nothing.
 * I2  Events of one task are kept up to a bound, the oldest go first.
 */
import { randomUUID } from "node:crypto";
import type {
  CommitResult,
  ContextKey,
  DuePush,
  PushRow,
  StepRow,
  StoredEvent,
  TaskCommit,
  TaskKey,
  TaskPage,
  TaskQuery,
  TaskRow,
  TaskStore,
} from "./task-store.ts";

export interface MemoryStoreOptions {
  /** Events of one task that can still be read one by one. Default 10,000; of an ended one a tenth. */
  readonly events?: number;
}

interface Entry {
  row: TaskRow;
  events: StoredEvent[];
  readonly steps: Map<string, StepRow>;
  readonly messageIds: string[];
  readonly pushes: Map<string, Push>;
  isCancelWanted: boolean;
}

interface Push {
  row: PushRow;
  due: number;
  sent: number;
  instance: string;
}

interface Conversation {
  body: string | undefined;
  readonly history: string[];
  readonly messages: Map<string, string>;
}

/** Tasks in memory: they end with the process. */
export function memoryStore(options: MemoryStoreOptions = {}): TaskStore {
  return new MemoryStore(options.events ?? 10_000);
}

class MemoryStore implements TaskStore {
  readonly isDurable = false;
  readonly instance = randomUUID();
  readonly #tasks = new Map<string, Entry>();
  /** By scope and name; who ended last stands last. */
  readonly #ended = new Map<string, Map<string, Entry>>();
  readonly #contexts = new Map<string, Conversation>();
  readonly #maxEvents: number;
  #beats = 0;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  async commit(commit: TaskCommit): Promise<CommitResult> {
    const { key, row, messageId, context } = commit;
    const known = this.#tasks.get(taskName(key));
    if ((known?.row.epoch ?? 0) !== commit.epoch) return "stale";
    if (row && (known?.row.version ?? 0) !== commit.version) return "stale";
    const entry = known ?? (row ? newEntry(row) : undefined);
    if (!entry) return "stale";
    const owner = row ?? entry.row;
    if (messageId !== undefined) {
      const { messages } = this.#conversation(owner);
      if (messages.has(messageId)) return "duplicate";
      messages.set(messageId, key.id);
      entry.messageIds.push(messageId);
    }
    if (row) entry.row = row;
    if (!known) this.#tasks.set(taskName(key), entry);
    if (row) this.#sortOut(entry);
    if (commit.events) this.#addEvents(entry, commit.events);
    for (const step of commit.steps ?? []) entry.steps.set(step.key, step);
    if (commit.due !== undefined) {
      for (const push of entry.pushes.values())
        Object.assign(push, { due: commit.due, instance: entry.row.instance });
    }
    if (context) {
      const conversation = this.#conversation(context);
      conversation.body = context.body;
      for (const { place, body } of commit.history ?? []) conversation.history[place] ??= body;
    }
    return "committed";
  }

  async get(key: TaskKey): Promise<TaskRow | undefined> {
    return this.#tasks.get(taskName(key))?.row;
  }

  async list(query: TaskQuery): Promise<TaskPage> {
    const rows = [...this.#tasks.values()]
      .map((entry) => entry.row)
      .filter((row) => row.scope === query.scope && row.owner === query.owner)
      .filter((row) => query.contextId === undefined || row.contextId === query.contextId)
      .filter((row) => query.state === undefined || row.state === query.state)
      .filter((row) => row.changedAt >= (query.changedFrom ?? 0))
      .sort(newestFirst);
    const { after, limit } = query;
    const rest = after ? rows.filter((row) => newestFirst(row, after) > 0) : rows;
    return { rows: rest.slice(0, limit), total: rows.length };
  }

  async events(key: TaskKey, from: number, limit: number): Promise<readonly StoredEvent[]> {
    const events = this.#tasks.get(taskName(key))?.events ?? [];
    const start = Math.max(0, from - (events[0]?.place ?? 0));
    return events.slice(start, start + limit);
  }

  async steps(key: TaskKey): Promise<readonly StepRow[]> {
    const steps = this.#tasks.get(taskName(key))?.steps.values() ?? [];
    return [...steps].sort((a, b) => a.place - b.place);
  }

  async findMessage(context: ContextKey, messageId: string): Promise<string | undefined> {
    return this.#contexts.get(contextName(context))?.messages.get(messageId);
  }

  async context(context: ContextKey): ReturnType<TaskStore["context"]> {
    const known = this.#contexts.get(contextName(context));
    return known?.body === undefined ? undefined : { body: known.body, history: [...known.history] };
  }

  async listOpen(scope: string): Promise<readonly TaskRow[]> {
    return [...this.#tasks.values()]
      .map((entry) => entry.row)
      .filter((row) => row.scope === scope && row.isOpen && row.instance !== this.instance);
  }

  async requestCancel(key: TaskKey): Promise<void> {
    const entry = this.#tasks.get(taskName(key));
    if (entry) entry.isCancelWanted = true;
  }

  async takeCancels(scope: string): Promise<readonly string[]> {
    const wanted = [...this.#tasks.values()].filter(
      ({ row, isCancelWanted }) => isCancelWanted && row.scope === scope && row.instance === this.instance,
    );
    for (const entry of wanted) entry.isCancelWanted = false;
    return wanted.map(({ row }) => row.id);
  }

  async beat(): Promise<ReadonlyMap<string, number>> {
    return new Map([[this.instance, ++this.#beats]]);
  }

  async isGone(instance: string): Promise<boolean> {
    return instance !== this.instance;
  }

  async prune(scope: string, { before, keep }: { before: number; keep: number }): Promise<number> {
    const ended = this.#ended.get(scope);
    let count = 0;
    for (const [name, { row, messageIds }] of ended ?? []) {
      if (ended!.size <= keep && row.changedAt >= before) break;
      ended!.delete(name);
      this.#tasks.delete(name);
      this.#forgetMessages(row, messageIds);
      count++;
    }
    return count;
  }

  async putPush(key: TaskKey, push: PushRow): Promise<void> {
    const pushes = this.#tasks.get(taskName(key))?.pushes;
    const known = pushes?.get(push.id);
    if (known) known.row = push;
    else pushes?.set(push.id, { row: push, due: -1, sent: -1, instance: "" });
  }

  async listPush(key: TaskKey): Promise<readonly PushRow[]> {
    return [...(this.#tasks.get(taskName(key))?.pushes.values() ?? [])].map(({ row }) => row);
  }

  async deletePush(key: TaskKey, id: string): Promise<boolean> {
    return this.#tasks.get(taskName(key))?.pushes.delete(id) ?? false;
  }

  async listDuePush(scope: string, id?: string): Promise<readonly DuePush[]> {
    const entries = [...this.#tasks.values()].filter(
      ({ row }) => row.scope === scope && (id === undefined || row.id === id),
    );
    return entries.flatMap((entry) =>
      [...entry.pushes.values()]
        .filter(({ due, sent, instance }) => due > sent && instance !== this.instance)
        .map(({ row, ...state }) => ({ scope, id: entry.row.id, pushId: row.id, body: row.body, ...state })),
    );
  }

  async claimPush({ pushId, instance, ...key }: DuePush): Promise<boolean> {
    const push = this.#tasks.get(taskName(key))?.pushes.get(pushId);
    if (push?.instance !== instance) return false;
    push.instance = this.instance;
    return true;
  }

  async markPushSent(key: TaskKey, pushId: string, place: number): Promise<void> {
    const push = this.#tasks.get(taskName(key))?.pushes.get(pushId);
    if (push) push.sent = Math.max(push.sent, place);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #conversation(key: ContextKey): Conversation {
    const name = contextName(key);
    let known = this.#contexts.get(name);
    if (!known) this.#contexts.set(name, (known = { body: undefined, history: [], messages: new Map() }));
    return known;
  }

  /** An ended task is the newest of its scope's; an open one is none of them. */
  #sortOut(entry: Entry): void {
    const { row } = entry;
    const ended = this.#ended.get(row.scope) ?? new Map<string, Entry>();
    this.#ended.set(row.scope, ended);
    ended.delete(taskName(row));
    if (!row.isOpen) ended.set(taskName(row), entry);
  }

  #forgetMessages(row: TaskRow, messageIds: readonly string[]): void {
    const { messages, body } = this.#conversation(row);
    for (const id of messageIds) messages.delete(id);
    if (messages.size === 0 && body === undefined) this.#contexts.delete(contextName(row));
  }

  #addEvents(entry: Entry, events: readonly StoredEvent[]): void {
    for (const event of events) entry.events.push(event);
    const max = entry.row.isOpen ? this.#maxEvents : this.#maxEvents / 10;
    if (entry.events.length > max * 2) entry.events = entry.events.slice(-max);
  }
}

function newEntry(row: TaskRow): Entry {
  return { row, events: [], steps: new Map(), messageIds: [], pushes: new Map(), isCancelWanted: false };
}

function taskName(key: TaskKey): string {
  return `${key.scope}\n${key.id}`;
}

function contextName({ scope, owner, contextId }: ContextKey): string {
  return JSON.stringify([scope, owner, contextId]);
}

function newestFirst(
  a: { readonly changedAt: number; readonly id: string },
  b: { readonly changedAt: number; readonly id: string },
): number {
  return b.changedAt - a.changedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
