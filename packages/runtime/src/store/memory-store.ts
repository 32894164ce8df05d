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
import { pruneBatch } from "./task-store.ts";
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

const fewEvents = 16;

export interface MemoryStoreOptions {
  /** Events of one task that can still be read one by one. Default 10,000; of an ended one a tenth. */
  readonly events?: number;
}

/** One of very many: what few tasks have is made when they have it. */
interface Entry {
  row: TaskRow;
  /** Among those that are at rest. */
  older: Entry | undefined;
  newer: Entry | undefined;
  events: StoredEvent[];
  steps: Map<string, StepRow> | undefined;
  /** What it said to its conversation, where that is the store's to keep. */
  part: Part | undefined;
  pushes: Map<string, Push> | undefined;
  isCancelWanted: boolean;
}

interface Push {
  row: PushRow;
  due: number;
  sent: number;
  instance: string;
}

/** Of one agent. */
interface Scope {
  readonly tasks: Map<string, Entry>;
  readonly rested: RestedEntries;
  /** By owner, then by id. */
  readonly contexts: Map<string, Map<string, Conversation>>;
}

interface Part {
  readonly conversation: Conversation;
  readonly messageIds: string[];
}

interface Conversation {
  /** How many tasks have a part in it. */
  tasks: number;
  body: string | undefined;
  readonly history: string[];
  readonly messages: Map<string, string>;
}

/** By when they came to rest; a list through the entries themselves, from which each is out at once. */
class RestedEntries {
  size = 0;
  oldest: Entry | undefined;
  #newest: Entry | undefined;

  add(entry: Entry): void {
    entry.older = this.#newest;
    if (this.#newest) this.#newest.newer = entry;
    else this.oldest = entry;
    this.#newest = entry;
    this.size++;
  }

  delete(entry: Entry): void {
    const { older, newer } = entry;
    if (older) older.newer = newer;
    else this.oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    entry.older = undefined;
    entry.newer = undefined;
    this.size--;
  }
}

/** Tasks in memory: they end with the process. */
export function memoryStore(options: MemoryStoreOptions = {}): TaskStore {
  return new MemoryStore(options.events ?? 10_000);
}

class MemoryStore implements TaskStore {
  readonly isDurable = false;
  readonly instance = randomUUID();
  readonly #scopes = new Map<string, Scope>();
  readonly #maxEvents: number;
  #beats = 0;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  commit(commit: TaskCommit): CommitResult {
    const { key, row, messageId, messageFrom, context } = commit;
    const scope = this.#scope(key.scope);
    const known = scope.tasks.get(key.id);
    if ((known?.row.epoch ?? 0) !== commit.epoch) return "stale";
    if (row && (known?.row.version ?? 0) !== commit.version) return "stale";
    const entry = known ?? (row ? newEntry(row) : undefined);
    if (!entry) return "stale";
    if (messageId !== undefined) {
      const { messages } = conversationOf(scope, row ?? entry.row);
      const taker = messages.get(messageId);
      if (taker !== undefined && taker !== messageFrom) return "duplicate";
      messages.set(messageId, key.id);
      join(scope, entry).messageIds.push(messageId);
    }
    if (row) {
      if (!known) scope.tasks.set(key.id, entry);
      else if (!known.row.isOpen) scope.rested.delete(known);
      entry.row = row;
      if (!row.isOpen) scope.rested.add(entry);
    }
    if (commit.events) this.#addEvents(entry, commit.events);
    if (commit.steps) addSteps(entry, commit.steps);
    if (commit.due !== undefined && entry.pushes) {
      for (const push of entry.pushes.values())
        Object.assign(push, { due: commit.due, instance: entry.row.instance });
    }
    if (context) {
      const { conversation } = join(scope, entry);
      conversation.body = context.body;
      for (const { place, body } of commit.history ?? []) conversation.history[place] ??= body;
    }
    return "committed";
  }

  async get(key: TaskKey): Promise<TaskRow | undefined> {
    return this.#entry(key)?.row;
  }

  async list(query: TaskQuery): Promise<TaskPage> {
    const rows = this.#entries(query.scope)
      .map((entry) => entry.row)
      .filter((row) => row.owner === query.owner)
      .filter((row) => query.contextId === undefined || row.contextId === query.contextId)
      .filter((row) => query.state === undefined || row.state === query.state)
      .filter((row) => row.changedAt >= (query.changedFrom ?? 0))
      .sort(newestFirst);
    const { after, limit } = query;
    const rest = after ? rows.filter((row) => newestFirst(row, after) > 0) : rows;
    return { rows: rest.slice(0, limit), total: rows.length };
  }

  async events(key: TaskKey, from: number, limit: number): Promise<readonly StoredEvent[]> {
    const events = this.#entry(key)?.events ?? [];
    const start = Math.max(0, from - (events[0]?.place ?? 0));
    return events.slice(start, start + limit);
  }

  async steps(key: TaskKey): Promise<readonly StepRow[]> {
    const steps = this.#entry(key)?.steps?.values() ?? [];
    return [...steps].sort((a, b) => a.place - b.place);
  }

  async findMessage(context: ContextKey, messageId: string): Promise<string | undefined> {
    return this.#known(context)?.messages.get(messageId);
  }

  async context(context: ContextKey, from: number): ReturnType<TaskStore["context"]> {
    const known = this.#known(context);
    if (known?.body === undefined) return undefined;
    const history = known.history.flatMap((body, place) => (place < from ? [] : [{ place, body }]));
    return { body: known.body, history };
  }

  async listOpen(scope: string): Promise<readonly TaskRow[]> {
    return this.#entries(scope)
      .map((entry) => entry.row)
      .filter((row) => row.isOpen && row.instance !== this.instance);
  }

  async requestCancel(key: TaskKey): Promise<void> {
    const entry = this.#entry(key);
    if (entry) entry.isCancelWanted = true;
  }

  async takeCancels(scope: string): Promise<readonly string[]> {
    const wanted = this.#entries(scope).filter(
      ({ row, isCancelWanted }) => isCancelWanted && row.instance === this.instance,
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

  async prune(name: string, { before, keep }: { before: number; keep: number }): Promise<number> {
    const scope = this.#scope(name);
    const { rested, tasks } = scope;
    let count = 0;
    for (let entry = rested.oldest; entry; entry = rested.oldest) {
      if (count === pruneBatch || (rested.size <= keep && entry.row.changedAt >= before)) break;
      rested.delete(entry);
      tasks.delete(entry.row.id);
      leave(scope, entry);
      count++;
    }
    return count;
  }

  async putPush(key: TaskKey, push: PushRow): Promise<void> {
    const entry = this.#entry(key);
    if (!entry) return;
    entry.pushes ??= new Map();
    const known = entry.pushes.get(push.id);
    if (known) known.row = push;
    else entry.pushes.set(push.id, { row: push, due: -1, sent: -1, instance: "" });
  }

  async listPush(key: TaskKey): Promise<readonly PushRow[]> {
    return [...(this.#entry(key)?.pushes?.values() ?? [])].map(({ row }) => row);
  }

  async deletePush(key: TaskKey, id: string): Promise<boolean> {
    return this.#entry(key)?.pushes?.delete(id) ?? false;
  }

  async listDuePush(scope: string, id?: string): Promise<readonly DuePush[]> {
    const one = id === undefined ? undefined : this.#entry({ scope, id });
    const entries = id === undefined ? this.#entries(scope) : one ? [one] : [];
    return entries.flatMap((entry) =>
      [...(entry.pushes?.values() ?? [])]
        .filter(({ due, sent, instance }) => due > sent && instance !== this.instance)
        .map(({ row, ...state }) => ({ scope, id: entry.row.id, pushId: row.id, body: row.body, ...state })),
    );
  }

  async claimPush({ pushId, instance, ...key }: DuePush): Promise<boolean> {
    const push = this.#entry(key)?.pushes?.get(pushId);
    if (push?.instance !== instance) return false;
    push.instance = this.instance;
    return true;
  }

  async markPushSent(key: TaskKey, pushId: string, place: number): Promise<void> {
    const push = this.#entry(key)?.pushes?.get(pushId);
    if (push) push.sent = Math.max(push.sent, place);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #scope(name: string): Scope {
    let known = this.#scopes.get(name);
    if (!known) {
      known = { tasks: new Map(), rested: new RestedEntries(), contexts: new Map() };
      this.#scopes.set(name, known);
    }
    return known;
  }

  #entry({ scope, id }: TaskKey): Entry | undefined {
    return this.#scopes.get(scope)?.tasks.get(id);
  }

  #entries(scope: string): Entry[] {
    return [...(this.#scopes.get(scope)?.tasks.values() ?? [])];
  }

  #known({ scope, owner, contextId }: ContextKey): Conversation | undefined {
    return this.#scopes.get(scope)?.contexts.get(owner)?.get(contextId);
  }

  #addEvents(entry: Entry, events: readonly StoredEvent[]): void {
    // An array that grows takes room for many more: most tasks have few.
    if (entry.events.length < fewEvents) entry.events = [...entry.events, ...events];
    else for (const event of events) entry.events.push(event);
    const max = entry.row.isOpen ? this.#maxEvents : this.#maxEvents / 10;
    if (entry.events.length > max * 2) entry.events = entry.events.slice(-max);
  }
}

function newEntry(row: TaskRow): Entry {
  return {
    row,
    older: undefined,
    newer: undefined,
    events: [],
    steps: undefined,
    part: undefined,
    pushes: undefined,
    isCancelWanted: false,
  };
}

function addSteps(entry: Entry, steps: readonly StepRow[]): void {
  entry.steps ??= new Map();
  for (const step of steps) entry.steps.set(step.key, step);
}

function conversationOf({ contexts }: Scope, { owner, contextId }: Omit<ContextKey, "scope">): Conversation {
  let own = contexts.get(owner);
  if (!own) contexts.set(owner, (own = new Map()));
  let known = own.get(contextId);
  if (!known) own.set(contextId, (known = { tasks: 0, body: undefined, history: [], messages: new Map() }));
  return known;
}

function join(scope: Scope, entry: Entry): Part {
  if (entry.part) return entry.part;
  const conversation = conversationOf(scope, entry.row);
  conversation.tasks++;
  return (entry.part = { conversation, messageIds: [] });
}

/** With its last task a conversation is forgotten. */
function leave({ contexts }: Scope, { row, part }: Entry): void {
  if (!part) return;
  const { conversation, messageIds } = part;
  for (const id of messageIds) if (conversation.messages.get(id) === row.id) conversation.messages.delete(id);
  if (--conversation.tasks > 0) return;
  const own = contexts.get(row.owner);
  own?.delete(row.contextId);
  if (own?.size === 0) contexts.delete(row.owner);
}

function newestFirst(
  a: { readonly changedAt: number; readonly id: string },
  b: { readonly changedAt: number; readonly id: string },
): number {
  return b.changedAt - a.changedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
