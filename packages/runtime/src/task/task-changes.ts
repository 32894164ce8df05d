/*
 * TaskChanges: what happens to one task, told to its record, its log and its store as one.
 *
 * Job: makes an event of each change, applies it, shows it, and stores the row when it must be stored.
 * Owns: the record, the log, the writer. Does not own: when what happens (the actor's), or who reads.
 *
 * I1  A state or a whole message is shown only once it is stored. Text deltas may be seen before.
 * I2  Where the store is this process's alone, the row of a task that runs is read by nobody: it gets the task when it
 *     rests.
 */
import { TaskState } from "@a2a-js/sdk";
import type { Message } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { isFenced } from "../agent/fenced.ts";
import type { StepRow, StoredEvent, TaskBody, TaskRow, TaskStore } from "../store/task-store.ts";
import type { ArtifactChange, StatusChange, TaskChange, TextChange } from "./task-event.ts";
import { TaskLog } from "./task-log.ts";
import { createStatus, isInterrupted, isTerminal, steadyNow, TaskRecord } from "./task-record.ts";
import { TaskWriter } from "./task-writer.ts";
import type { Change } from "./task-writer.ts";

export interface TaskChangesOptions {
  readonly store: TaskStore;
  /** As stored, or with version 0 for a new task. */
  readonly row: TaskRow;
  /** The place of the next event, of a task that was stored before. */
  readonly place?: number | undefined;
  readonly maxLogEntries: number;
  /** The task is another's, or the store is gone. Called once. */
  readonly onLost: (error: WeftError) => void;
}

export class TaskChanges {
  readonly record: TaskRecord;
  readonly log: TaskLog;
  readonly #store: TaskStore;
  readonly #writer: TaskWriter;

  constructor({ store, row, place, maxLogEntries, onLost }: TaskChangesOptions) {
    this.#store = store;
    this.record = new TaskRecord(row.body.task, row.body.partial);
    this.#writer = new TaskWriter(store, row, (error) => {
      this.log.close(isOfTask(error) ? error : goneError(error));
      onLost(error);
    });
    this.log = new TaskLog({
      ids: { taskId: row.id, contextId: row.contextId },
      maxEntries: maxLogEntries,
      // What is gone from here may wait to be stored: a reader that is behind would be given the whole task instead.
      load: async (from, limit) => {
        this.#writer.flush();
        await this.#writer.settled();
        return store.events(row, from, limit);
      },
      ...(place === undefined ? {} : { first: place, epochs: [...row.body.epochs, [row.epoch, place]] }),
    });
  }

  /** Under which the task is run here. */
  get epoch(): number {
    return this.#writer.row.epoch;
  }

  get isLost(): boolean {
    return this.#writer.isLost;
  }

  /** A promise for who should not go on before more is stored. */
  get room(): Promise<void> | undefined {
    return this.#writer.isBehind ? this.#writer.settled() : undefined;
  }

  setState(state: TaskState, message?: Message, metadata?: Record<string, unknown>): StoredEvent {
    const change: StatusChange = { kind: "status", status: createStatus(state, message), metadata };
    this.record.apply(change);
    return this.#append(change, state === TaskState.TASK_STATE_WORKING ? shown : held);
  }

  putArtifact(change: ArtifactChange | TextChange): void {
    this.record.apply(change);
    this.#append(change, change.lastChunk ? held : shown);
  }

  /** Takes back what an interrupted attempt left unfinished. */
  withdrawPartial(): void {
    for (const artifactId of this.record.withdrawPartial()) {
      const flags = { append: false, lastChunk: true };
      this.#append({ kind: "text", artifactId, text: "", ...flags, metadata: undefined }, shown);
    }
  }

  /** What only readers that activated the events extension see. */
  addAgentEvent(metadata: Record<string, unknown>): void {
    const status = createStatus(TaskState.TASK_STATE_WORKING);
    this.#append({ kind: "status", status, metadata }, { isAgentEvent: true });
  }

  /**
   * Stores the row as it is now, with what else changes, and shows what was held; as {@link TaskWriter.write} does.
   * `instance`: who is to hold the task; default this process.
   */
  store(change: Omit<Change, "row">, instance?: string): Promise<void> | undefined {
    const place = this.log.next;
    const { state } = this.record;
    const isOpen = !isTerminal(state) && !isInterrupted(state);
    const row = {
      state,
      isOpen,
      changedAt: Math.max(this.#writer.row.changedAt, this.record.changedAt || steadyNow()),
      body: this.#store.isDurable || !isOpen ? this.#body(place) : this.#writer.row.body,
      instance,
    };
    const storing = this.#writer.write({ ...change, row });
    if (storing) return storing.then(() => this.log.show(place));
    this.log.show(place);
    return undefined;
  }

  /** Stores a step of the journal. */
  storeStep(step: StepRow): Promise<void> | undefined {
    return this.#writer.write({ steps: [step] });
  }

  /** Writes nothing more, as if the task were another's. */
  stop(reason: WeftError): void {
    this.#writer.stop(reason);
  }

  #body(place: number): TaskBody {
    const { epochs } = this.log;
    return { task: this.record.snapshot(), place, epochs, partial: this.record.partialArtifacts };
  }

  #append(change: TaskChange, flags: Parameters<TaskLog["append"]>[1]): StoredEvent {
    const event = this.log.append(change, flags);
    this.#writer.add(event);
    return event;
  }
}

const shown = {};
const held = { isHeld: true };

/** Another has it, or what it is to store cannot be stored; anything else is the store's. */
function isOfTask(error: WeftError): boolean {
  return isFenced(error) || error.code === "invalid_argument";
}

function goneError(cause: WeftError): WeftError {
  return new WeftError("unavailable", "The task store is gone.", { cause });
}
