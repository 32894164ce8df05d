/*
 * TaskWriter: what one task writes to its store.
 *
 * Job: puts events together with what is written next, one commit after the other, under the task's epoch.
 * Owns: the row's version, the events that are not stored yet. Does not own: what is written.
 *
 * I1  Commits of a task never overlap and keep their order; each holds all events appended before it.
 * I2  After one refused or failed commit nothing more is written: the worker is fenced, or has no store.
 * I3  Events alone are stored soon, not at once: in bulk, when enough wait or a little time has passed.
 */
import { WeftError } from "@weft/tracing";
import { fencedError } from "../agent/fenced.ts";
import type { CommitResult, StoredEvent, TaskCommit, TaskRow, TaskStore } from "../store/task-store.ts";

/** What changes in the row; key, version and epoch are the writer's. */
export type RowChange = Pick<TaskRow, "state" | "isOpen" | "changedAt" | "body"> & {
  readonly instance?: string | undefined;
};
export type Change = Pick<
  TaskCommit,
  "messageId" | "messageFrom" | "steps" | "context" | "history" | "due"
> & {
  readonly row?: RowChange;
};

const flushEvents = 512;
const flushMs = 50;
const behindEvents = 4_096;

export class TaskWriter {
  readonly #store: TaskStore;
  readonly #onLost: (error: WeftError) => void;
  #row: TaskRow;
  #events: StoredEvent[] = [];
  #unstored = 0;
  /** The last commit that is under way. */
  #tail: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lost: WeftError | undefined;

  /** `row` as it is stored, or with version and epoch 0 for a new task. `onLost` is called once. */
  constructor(store: TaskStore, row: TaskRow, onLost: (error: WeftError) => void) {
    this.#store = store;
    this.#row = row;
    this.#onLost = onLost;
  }

  get row(): TaskRow {
    return this.#row;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** More events wait than a task should make faster than they are stored. */
  get isBehind(): boolean {
    return this.#unstored > behindEvents;
  }

  add(event: StoredEvent): void {
    this.#events.push(event);
    this.#unstored++;
    if (this.#events.length >= flushEvents) this.flush();
    else if (this.#store.isDurable && !this.#timer) {
      this.#timer = setTimeout(() => this.flush(), flushMs);
      this.#timer.unref();
    }
  }

  /** Stores what waits, in the background. */
  flush(): void {
    this.write({})?.catch(() => undefined);
  }

  /** Resolves when all that was written until now is stored, or failed. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  /**
   * Commits `change` with the events so far; resolves when it is durable. In a store that needs no time it is through at
   * once, and nothing is returned. Rejects with a WeftError when the task is another's now, the message id is taken
   * (`already_exists`), or the store is gone.
   */
  write(change: Change): Promise<void> | undefined {
    const writing = this.#tail ? this.#tail.then(() => this.#commit(change)) : this.#commit(change);
    if (!writing) return undefined;
    const leave = (): void => {
      if (this.#tail === tail) this.#tail = undefined;
    };
    const tail = writing.then(leave, leave);
    this.#tail = tail;
    return writing;
  }

  /** Writes nothing more, as if the task were another's. */
  stop(reason: WeftError): void {
    this.#lose(reason);
  }

  #commit(change: Change): Promise<void> | undefined {
    if (this.#lost) return Promise.reject(this.#lost);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#events;
    this.#events = [];
    if (events.length === 0 && isEmpty(change)) return undefined;
    const row = change.row && this.#nextRow(change.row);
    const { messageId, messageFrom, steps, context, history, due } = change;
    const { epoch, version } = this.#row;
    // A first commit finds nothing: it is made under version and epoch 0.
    const result = this.#store.commit({
      key: this.#row,
      epoch: version === 0 ? 0 : epoch,
      version,
      row,
      events,
      messageId,
      messageFrom,
      steps,
      context,
      history,
      due,
    });
    if (result !== "committed") return this.#wait(result, events.length, row);
    this.#stored(events.length, row);
    return undefined;
  }

  async #wait(
    committing: CommitResult | Promise<CommitResult>,
    events: number,
    row: TaskRow | undefined,
  ): Promise<void> {
    const result = await Promise.resolve(committing).catch((error: unknown): never => {
      throw this.#lose(WeftError.from(error, "unavailable"));
    });
    this.#check(result);
    this.#stored(events, row);
  }

  #stored(events: number, row: TaskRow | undefined): void {
    this.#unstored -= events;
    if (row) this.#row = row;
  }

  #check(result: CommitResult): void {
    if (result === "committed") return;
    const { id, version } = this.#row;
    if (result === "stale")
      throw this.#lose(fencedError(`Task ${id} is run elsewhere now; subscribe to it again.`));
    const error = new WeftError("already_exists", "The message id is taken.");
    // Nothing of a new task was written; an old one goes on without the message.
    throw version === 0 ? this.#lose(error) : error;
  }

  #nextRow({ instance, state, isOpen, changedAt, body }: RowChange): TaskRow {
    const { scope, id, owner, contextId, version, epoch } = this.#row;
    return {
      scope,
      id,
      owner,
      contextId,
      version: version + 1,
      epoch: epoch || 1,
      instance: instance ?? this.#store.instance,
      state,
      isOpen,
      changedAt,
      body,
    };
  }

  #lose(error: WeftError): WeftError {
    if (this.#lost) return this.#lost;
    this.#lost = error;
    clearTimeout(this.#timer);
    this.#onLost(error);
    return error;
  }
}

function isEmpty({ row, messageId, steps, context, due }: Change): boolean {
  return !row && messageId === undefined && !steps && !context && due === undefined;
}
