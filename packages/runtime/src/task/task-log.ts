/*
 * TaskLog: the numbered events of one task.
 *
 * Job: an append-only log that any number of readers (LogReader) follow, each at its own pace.
 * Owns: the newest entries and who waits for more. Does not own: what entries mean, snapshots, or storing.
 *
 * I1  Places have no gap; an entry never changes.
 * I2  Appending costs the same however long the log and however slow a reader: a reader is a number, not a queue.
 * I3  Past the bound the oldest entries go; they are read from the store, and a reader behind what is there as well is
 *     told so (`behind`) and starts from a snapshot.
 * I4  What is held is seen by nobody before it is shown, nor is anything after it.
 */
import type { StoredEvent } from "../store/task-store.ts";
import { TaskEvent } from "./task-event.ts";
import type { TaskChange, TaskIds } from "./task-event.ts";

export interface TaskLogOptions {
  /** Whose events they are. */
  readonly ids: TaskIds;
  /** Entries kept here. */
  readonly maxEntries: number;
  /** The first place to give. Default 0. */
  readonly first?: number;
  /** Where each epoch begins; the last one is the running one. Default `[[1, 0]]`. */
  readonly epochs?: readonly (readonly [epoch: number, place: number])[];
  /** Entries that are gone from here. */
  readonly load?: (from: number, limit: number) => Promise<readonly StoredEvent[]>;
}

const firstEpoch = [[1, 0]] as const;

/** Few: events may be large, and each reader that catches up holds as many. */
const loadAtOnce = 64;

export class TaskLog {
  readonly epochs: readonly (readonly [epoch: number, place: number])[];
  #entries: StoredEvent[] = [];
  #first: number;
  #shown: number;
  /** Places of what is held, in order. */
  #held: number[] | undefined;
  #isClosed = false;
  #failure: Error | undefined;
  readonly #epoch: number;
  #waiting: Set<() => void> | undefined;
  readonly #options: TaskLogOptions;

  constructor(options: TaskLogOptions) {
    this.#options = options;
    this.epochs = options.epochs ?? firstEpoch;
    this.#epoch = this.epochs.at(-1)![0];
    this.#first = options.first ?? 0;
    this.#shown = this.#first;
  }

  /** The place that the next entry gets. */
  get next(): number {
    return this.#first + this.#entries.length;
  }

  /** The place after the last one that may be seen. */
  get shown(): number {
    return this.#shown;
  }

  append(change: TaskChange, flags: { isAgentEvent?: boolean; isHeld?: boolean } = {}): StoredEvent {
    const place = this.next;
    const { ids, maxEntries } = this.#options;
    const { isAgentEvent = false } = flags;
    const entry = new TaskEvent({ place, epoch: this.#epoch }, { ids, change, isAgentEvent });
    this.#entries.push(entry);
    if (this.#entries.length > maxEntries * 2) {
      this.#first += this.#entries.length - maxEntries;
      this.#entries = this.#entries.slice(-maxEntries);
    }
    if (flags.isHeld) (this.#held ??= []).push(place);
    else this.#reveal();
    return entry;
  }

  /** What was held before `place` may be seen. */
  show(place: number): void {
    const held = this.#held;
    if (held && held.at(-1)! < place) this.#held = undefined;
    else if (held) this.#held = held.filter((one) => one >= place);
    this.#reveal();
  }

  /** No entry follows: readers end once they have read what there is, with `failure` if there is one. */
  close(failure?: Error): void {
    this.#failure = failure;
    this.#isClosed = true;
    this.#wake();
  }

  /** Whether nothing follows what is there; with the failure that ended it, if one did. */
  get end(): { readonly failure: Error | undefined } | undefined {
    return this.#isClosed ? { failure: this.#failure } : undefined;
  }

  /** What may be seen at `place`; undefined where it is gone from here, or not there yet. */
  at(place: number): StoredEvent | undefined {
    return place < this.#shown ? this.#entries[place - this.#first] : undefined;
  }

  /** Whether what stands at `place` is gone from here. */
  isGone(place: number): boolean {
    return place < this.#first;
  }

  /** Entries that are gone from here, some at a time; none where they are gone from the store as well. */
  async load(from: number): Promise<readonly StoredEvent[]> {
    const limit = Math.min(loadAtOnce, this.#first - from);
    const loaded = (await this.#options.load?.(from, limit)) ?? [];
    return loaded[0]?.place === from ? loaded : [];
  }

  /** Calls `wake` once, at the next change. */
  wait(wake: () => void): void {
    (this.#waiting ??= new Set()).add(wake);
  }

  leave(wake: () => void): void {
    this.#waiting?.delete(wake);
  }

  #reveal(): void {
    const shown = this.#held?.[0] ?? this.next;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const wake of waiting ?? []) wake();
  }
}
