/*
 * Takeover: the open tasks of instances that are gone.
 *
 * Job: says that this instance lives, watches whether the others do, and names the tasks that nobody runs and the
 *   notifications that nobody sends any more.
 * Owns: the watch. Does not own: running a task, sending, or the fence (the store's epochs).
 *
 * I1  An instance is gone when its lock is free, or when it has not said that it lives for `leaseMs` of our own steady
 *     clock. No wall clock is asked: one that jumps takes nothing over.
 * I2  A wrong guess costs nothing but the former owner's work: its next write is refused.
 */
import type { DuePush, TaskRow, TaskStore } from "../store/task-store.ts";

export interface TakeoverOptions {
  readonly store: TaskStore;
  readonly scope: string;
  /** Milliseconds of silence after which an instance is taken for gone. */
  readonly leaseMs: number;
  readonly take: (row: TaskRow) => Promise<void>;
  /** Sends what an instance that is gone was to send. */
  readonly resend: (push: DuePush) => Promise<void>;
  readonly cancel: (id: string) => Promise<void>;
}

interface Seen {
  readonly beats: number;
  readonly at: number;
}

export class Takeover {
  readonly #options: TakeoverOptions;
  readonly #seen = new Map<string, Seen>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#timer || this.#isStopped) return;
    const look = (): void => {
      this.#round = this.#round.then(() => this.#look()).catch(() => undefined);
    };
    this.#timer = setInterval(look, Math.max(20, this.#options.leaseMs / 4));
    this.#timer.unref();
    look();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  async #look(): Promise<void> {
    if (this.#isStopped) return;
    const { store, scope, take, resend, cancel } = this.#options;
    this.#note(await store.beat());
    await Promise.all((await store.takeCancels(scope)).map(cancel));
    const isGone = this.#createCheck();
    for (const row of await store.listOpen(scope))
      if ((await isGone(row.instance)) && !this.#isStopped) await take(row);
    for (const push of await store.listDuePush(scope))
      if ((await isGone(push.instance)) && !this.#isStopped) await resend(push);
  }

  /** Each instance is looked for once in a round. */
  #createCheck(): (instance: string) => Promise<boolean> {
    const known = new Map<string, boolean>();
    return async (instance) => {
      if (!known.has(instance))
        known.set(instance, this.#isSilent(instance) || (await this.#options.store.isGone(instance)));
      return known.get(instance)!;
    };
  }

  #note(beats: ReadonlyMap<string, number>): void {
    for (const [instance, count] of beats) {
      if (this.#seen.get(instance)?.beats !== count)
        this.#seen.set(instance, { beats: count, at: performance.now() });
    }
  }

  /** An instance that never said that it lives is watched from when it was first looked for. */
  #isSilent(instance: string): boolean {
    const seen = this.#seen.get(instance);
    if (seen) return performance.now() - seen.at > this.#options.leaseMs;
    this.#seen.set(instance, { beats: 0, at: performance.now() });
    return false;
  }
}
