import type { StreamResponse, Task } from "@a2a-js/sdk";

/** How many tasks a store forgets in one go: others wait for it meanwhile. */
export const pruneBatch = 100;

/** Which task: `scope` is the agent it belongs to, so that agents never see each other's. */
export interface TaskKey {
  readonly scope: string;
  readonly id: string;
}

/** Which conversation. */
export interface ContextKey {
  readonly scope: string;
  readonly owner: string;
  readonly contextId: string;
}

/** What a task was when its state last changed; the events from `place` on say the rest. */
export interface TaskBody {
  /** Nobody changes it any more. */
  readonly task: Task;
  /** The first event that the task does not hold yet. */
  readonly place: number;
  /** Where each epoch's events begin. */
  readonly epochs: readonly (readonly [epoch: number, place: number])[];
  /** Ids of the task's artifacts whose last chunk has not come. */
  readonly partial: readonly string[];
}

/** One task as it is stored. */
export interface TaskRow<Body = TaskBody> extends TaskKey, ContextKey {
  /** One more at each write: compare and set. The first is 1. */
  readonly version: number;
  /** One more at each takeover: whoever writes with a lower one is refused. The first is 1. */
  readonly epoch: number;
  /** Who holds it; "" is nobody. */
  readonly instance: string;
  /** A2A's number of the state. */
  readonly state: number;
  /** Work is left that must go on by itself, also after a crash. */
  readonly isOpen: boolean;
  /** Milliseconds since the epoch: the order of lists. */
  readonly changedAt: number;
  readonly body: Body;
}

/** One numbered event. `place` counts from 0 without a gap, over all epochs. */
export interface StoredEvent {
  readonly place: number;
  readonly epoch: number;
  /** May be made anew each time it is read. */
  readonly response: StreamResponse;
  /** Shown only to readers that activated the events extension. */
  readonly isAgentEvent: boolean;
}

/** One row of a task's journal. */
export interface StepRow {
  /** Unique within its task. */
  readonly key: string;
  /** Place in the journal: the order of intents. */
  readonly place: number;
  /** JSON of what was about to be done. */
  readonly intent: string;
  /** JSON of what came out; undefined: the outcome is unknown. */
  readonly result: string | undefined;
}

export interface ContextRow extends ContextKey {
  /** JSON. */
  readonly body: string;
}

/** A message of a context's history; what is there already stays. */
export interface HistoryRow {
  readonly place: number;
  /** JSON. */
  readonly body: string;
}

export interface StoredContext {
  /** JSON. */
  readonly body: string;
  readonly history: readonly HistoryRow[];
}

/** All of it, or nothing. */
export interface TaskCommit {
  readonly key: TaskKey;
  /** The writer's epoch, and the version it read; 0 and 0 make a new task. */
  readonly epoch: number;
  readonly version: number;
  /** The new row; its version must be `version + 1`. Absent: the task's row stays, only the epoch is checked. */
  readonly row?: TaskRow | undefined;
  /** A message id that this task takes: once in its context. */
  readonly messageId?: string | undefined;
  /** The id of the task that took the message id before, and is to have it no more: its turn failed. */
  readonly messageFrom?: string | undefined;
  readonly events?: readonly StoredEvent[] | undefined;
  /** Replaces rows of the same key. */
  readonly steps?: readonly StepRow[] | undefined;
  readonly context?: ContextRow | undefined;
  /** Needs `context`. */
  readonly history?: readonly HistoryRow[] | undefined;
  /** Place of an event that all of the task's pushes are told of, by the instance of `row`. */
  readonly due?: number | undefined;
}

/** `stale`: somebody else wrote, or took the task over. `duplicate`: the context has the message id already. */
export type CommitResult = "committed" | "stale" | "duplicate";

export interface TaskQuery {
  readonly scope: string;
  readonly owner: string;
  readonly contextId?: string;
  readonly state?: number;
  /** Milliseconds since the epoch, inclusive. */
  readonly changedFrom?: number;
  readonly limit: number;
  /** The last row of the page before. */
  readonly after?: { readonly changedAt: number; readonly id: string };
}

export interface TaskPage {
  /** Newest change first, then by id. */
  readonly rows: readonly TaskRow[];
  /** How many there are in all. */
  readonly total: number;
}

/** Where one task's state changes are sent. */
export interface PushRow {
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/** A place in the outbox: the task's states of after `sent` up to `due` are still to be sent there. */
export interface DuePush extends TaskKey {
  /** Of the {@link PushRow}. */
  readonly pushId: string;
  readonly body: string;
  /** Places of events. */
  readonly due: number;
  readonly sent: number;
  /** Who is to send it. */
  readonly instance: string;
}

/**
 * Where tasks live. Held by one contract suite: memory, SQLite and Postgres.
 *
 * Every write is durable when its promise resolves. Rejections are WeftErrors, `unavailable` when the store is gone.
 */
export interface TaskStore extends AsyncDisposable {
  /** Whether what is stored outlives the process. */
  readonly isDurable: boolean;
  /** This process's name in the store: new at each start. */
  readonly instance: string;

  /** A promise, where the store needs time for it. */
  commit(commit: TaskCommit): CommitResult | Promise<CommitResult>;
  get(key: TaskKey): Promise<TaskRow | undefined>;
  list(query: TaskQuery): Promise<TaskPage>;
  /** The events from `from` on, in order. Fewer than there were when the oldest are gone. */
  events(key: TaskKey, from: number, limit: number): Promise<readonly StoredEvent[]>;
  /** In the order of their places. */
  steps(key: TaskKey): Promise<readonly StepRow[]>;
  /** The task that took a message id. */
  findMessage(context: ContextKey, messageId: string): Promise<string | undefined>;
  /** With its history from place `from` on, in order. */
  context(context: ContextKey, from: number): Promise<StoredContext | undefined>;
  /** Open tasks that other instances hold, or nobody. */
  listOpen(scope: string): Promise<readonly TaskRow[]>;

  /** Asks the holder of a task to cancel it. */
  requestCancel(key: TaskKey): Promise<void>;
  /** The ids of this instance's tasks that somebody asked to cancel, each told once. */
  takeCancels(scope: string): Promise<readonly string[]>;

  /** Says that this instance lives, and how often each instance has said so. A number, not a time: no clock decides. */
  beat(): Promise<ReadonlyMap<string, number>>;
  /** Whether an instance is known to be dead; false when that cannot be known. */
  isGone(instance: string): Promise<boolean>;

  /**
   * Forgets tasks at rest: those changed before `before`, and of the rest all but the `keep` newest; with a context's last
   * task what was said in it. At most {@link pruneBatch} at a time, the oldest first; tells how many.
   */
  prune(scope: string, limits: { readonly before: number; readonly keep: number }): Promise<number>;

  putPush(key: TaskKey, push: PushRow): Promise<void>;
  listPush(key: TaskKey): Promise<readonly PushRow[]>;
  /** Whether there was one. */
  deletePush(key: TaskKey, id: string): Promise<boolean>;
  /** What others than this instance are to send still: of an agent's tasks, or of one. */
  listDuePush(scope: string, id?: string): Promise<readonly DuePush[]>;
  /** Makes this instance the one to send it; false when another was faster. */
  claimPush(push: DuePush): Promise<boolean>;
  /** Nothing up to the event at `place` is to be sent there any more. */
  markPushSent(key: TaskKey, pushId: string, place: number): Promise<void>;
}
