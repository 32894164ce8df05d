/*
 * RunningTasks: the tasks that this process has in hand.
 *
 * Job: makes tasks, claims those that rest in the store or that a process which is gone left open, forgets ended ones.
 * Owns: which tasks are here, which of them run, and whose they count for. Does not own: what a message or an operation
 *   means, what is stored.
 *
 * I1  A task is seen by who made it and by nobody else; to others it does not exist.
 * I2  A task is run by one process at a time: who was taken over is refused at its next write.
 * I3  What a process that is gone left open goes on here by itself.
 * I4  Running tasks are never forgotten; those at rest are, over or waiting, oldest first, past the bound.
 */
import { TaskState } from "@a2a-js/sdk";
import type { Message, Task } from "@a2a-js/sdk";
import { TaskNotFoundError } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import type { Agent } from "../agent/agent.ts";
import { readPending } from "../journal/message-in.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import type { PushConfigs } from "../push/push-configs.ts";
import { pruneBatch } from "../store/task-store.ts";
import type { TaskKey, TaskRow, TaskStore } from "../store/task-store.ts";
import type { CallerTasks } from "./caller-tasks.ts";
import type { ContextSession, ContextSessions } from "./context-session.ts";
import { DirectTurn } from "./direct-turn.ts";
import { newUuid } from "./new-uuid.ts";
import { readStored } from "./stored-task.ts";
import { Takeover } from "./takeover.ts";
import { TaskActor } from "./task-actor.ts";
import type { TaskHost } from "./task-actor.ts";
import { defaultTaskLimits } from "./task-limits.ts";
import type { TaskLimits } from "./task-limits.ts";
import { createStatus, isTerminal, steadyNow } from "./task-record.ts";

/** What became of a message: the task that took it, or its turn without one, and once that is over what it came to. */
export type Taken = TaskActor | Task | DirectTurn | Message;
export type Session = ContextSession<Taken | Promise<Taken>>;

const durableEndedTasks = 100_000;
/** Tasks at rest are forgotten once in so many, not with each. */
const pruneEvery = 50;

export interface RunningTasksOptions {
  readonly agent: Agent;
  readonly limits: TaskLimits;
  readonly store: TaskStore;
  readonly scope: string;
  readonly sessions: ContextSessions<Taken | Promise<Taken>>;
  readonly push: PushConfigs;
  readonly callers: CallerTasks;
}

export class RunningTasks {
  readonly #options: RunningTasksOptions;
  /** Those that run here or wait for their caller. */
  readonly #actors = new Map<string, TaskActor>();
  /** Those that run, turns without a task too, and what gives their place among their caller's free. */
  readonly #running = new Map<TaskActor | DirectTurn, () => void>();
  readonly #opening = new Map<string, Promise<TaskActor>>();
  readonly #takeover: Takeover;
  readonly #host: TaskHost;
  #isDraining = false;
  #rests = 0;
  #isPruning = false;

  constructor(options: RunningTasksOptions) {
    this.#options = options;
    const { agent, store, scope, limits, push } = options;
    this.#host = {
      agent,
      store,
      turnMs: limits.turnMs,
      maxLogEntries: limits.events,
      onRest: (actor) => this.#rested(actor),
      onState: (actor, event, context) => push.notify(this.key(actor.id), event, context),
    };
    this.#takeover = new Takeover({
      store,
      scope,
      leaseMs: limits.leaseMs,
      take: (row) => this.#takeOver(row),
      resend: (due) => options.push.resend(due),
      cancel: async (id) => this.#actors.get(id)?.cancel(),
    });
  }

  get count(): number {
    return this.#running.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Goes on with what processes that are gone left open, from now on and by itself. */
  start(): void {
    if (this.#options.store.isDurable) this.#takeover.start();
  }

  key(id: string): TaskKey {
    return { scope: this.#options.scope, id };
  }

  /** The task where it runs or waits here. */
  get(id: string): TaskActor | undefined {
    return this.#actors.get(id);
  }

  /** @throws TaskNotFoundError for what is not there, or is another's */
  async find(id: string, owner: string): Promise<TaskActor | TaskRow> {
    const found = (await this.#here(id)) ?? (await this.#options.store.get(this.key(id)));
    if (!found || found.owner !== owner) throw new TaskNotFoundError(`Task ${id} does not exist.`);
    return found;
  }

  create(session: Session): TaskActor {
    const { scope, owner, contextId } = session;
    const id = newUuid();
    const status = createStatus(TaskState.TASK_STATE_SUBMITTED);
    const task: Task = { id, contextId, status, artifacts: [], history: [], metadata: undefined };
    const row: TaskRow = {
      scope,
      owner,
      contextId,
      id,
      version: 0,
      epoch: 0,
      instance: this.#options.store.instance,
      state: status.state,
      isOpen: true,
      changedAt: 0,
      body: { task, place: 0, epochs: [[1, 0]], partial: [] },
    };
    return new TaskActor({ host: this.#host, session, row });
  }

  /**
   * Takes a task in hand and counts it as running, until it rests: for `caller` too.
   *
   * @throws WeftError `limit_exceeded` where the caller has too many
   */
  begin(actor: TaskActor, caller?: string): void {
    if (this.#running.has(actor)) return;
    this.#enter(actor, caller);
    this.#actors.set(actor.id, actor);
  }

  /** A turn that runs without a task; it counts as one. Throws as {@link begin}. */
  answer(turn: Omit<PendingTurn, "place">, session: Session, caller: string | undefined): DirectTurn {
    const { messageId } = turn.message;
    const direct: DirectTurn = new DirectTurn({
      host: this.#host,
      session,
      turn,
      createTask: () => {
        const task = this.create(session);
        this.begin(task);
        return task;
      },
      onEnd: () => {
        this.#leave(direct);
        const { result } = direct;
        const isOver = result instanceof TaskActor && result.isTerminal;
        remember(session, messageId, direct, isOver ? result.snapshot() : result);
      },
    });
    this.#enter(direct, caller);
    direct.start();
    return direct;
  }

  /** A stored task, whatever its state; one that rests is claimed, in a new epoch. */
  async openAny(row: TaskRow, session: Session): Promise<Taken> {
    const known = this.#actors.get(row.id);
    if (known && !known.isLost) return known;
    return isTerminal(row.state) ? row.body.task : this.open(row, session);
  }

  /** Claims a task that rests in the store: in a new epoch it is this process's. */
  open(row: TaskRow, session?: Session): Promise<TaskActor> {
    const known = this.#opening.get(row.id);
    if (known) return known;
    const claim = (held: Session): Promise<TaskActor> => this.#claim(row, held);
    const opening = session ? claim(session) : Promise.resolve(this.#options.sessions.use(row, claim));
    this.#opening.set(row.id, opening);
    return opening.finally(() => this.#opening.delete(row.id));
  }

  /**
   * Waits for the running tasks. Those left when `signal` fires go on in another process, or where the store does not
   * outlive this one they fail.
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    await this.#takeover.stop();
    await Promise.all([...this.#running.keys()].map((actor) => actor.settled(signal)));
    const reason = new WeftError("unavailable", "The service shut down before the task was done.");
    const left = [...this.#running.keys()];
    const { isDurable } = this.#options.store;
    await Promise.all(
      left.map((one) =>
        isDurable && one instanceof TaskActor ? one.handOver() : Promise.resolve(one.abandon(reason)),
      ),
    );
    await Promise.all(left.map((one) => one.settled()));
  }

  #enter(one: TaskActor | DirectTurn, caller: string | undefined): void {
    const leave = caller === undefined ? (): void => undefined : this.#options.callers.enter(caller);
    this.#running.set(one, leave);
  }

  #leave(one: TaskActor | DirectTurn): void {
    this.#running.get(one)?.();
    this.#running.delete(one);
  }

  /** A task that waits here may have gone on in another process in the meantime. */
  async #here(id: string): Promise<TaskActor | undefined> {
    const actor = this.#actors.get(id);
    if (!actor || actor.isLost) return undefined;
    if (!actor.isAtRest) return actor;
    const row = await this.#options.store.get(this.key(id));
    if (row?.epoch === actor.epoch) return actor;
    this.#actors.delete(id);
    return undefined;
  }

  /** From here on whoever had the task is refused. What it stored until now is what goes on. */
  async #claim(row: TaskRow, session: Session): Promise<TaskActor> {
    const { store, push } = this.#options;
    const { version, epoch } = row;
    const claimed = { ...row, version: version + 1, epoch: epoch + 1, instance: store.instance };
    const result = await store.commit({ key: row, epoch, version, row: claimed });
    if (result !== "committed") throw new WeftError("unavailable", `Task ${row.id} is claimed elsewhere.`);
    const { record, place } = await readStored(store, claimed);
    const steps = await store.steps(row);
    const body = { ...claimed.body, task: record.snapshot(), partial: record.partialArtifacts };
    const loaded = { place, steps };
    const actor = new TaskActor({ host: this.#host, session, row: { ...claimed, body }, loaded });
    this.#actors.set(actor.id, actor);
    // With the next state the outbox is this process's.
    await push.takeOver(row);
    const turns = readPending(steps);
    if (turns.length === 0) return actor;
    this.begin(actor);
    for (const { message } of turns) session.take(message.messageId, actor);
    await actor.resume(turns);
    return actor;
  }

  async #takeOver(row: TaskRow): Promise<void> {
    if (this.#isDraining || (await this.#here(row.id))) return;
    // Somebody else was faster: then it is theirs.
    await this.open(row).catch(() => undefined);
  }

  #rested(actor: TaskActor): void {
    this.#leave(actor);
    this.#prune();
    if (!actor.isTerminal && !actor.isLost) return;
    if (this.#actors.get(actor.id) === actor) this.#actors.delete(actor.id);
    if (actor.isLost) this.#options.sessions.forget(actor.session.key);
    else forgetActor(actor);
  }

  #prune(): void {
    const { store, scope, limits } = this.#options;
    const isDefault = limits.endedTasks === defaultTaskLimits.endedTasks;
    const keep = store.isDurable && isDefault ? durableEndedTasks : limits.endedTasks;
    // To count what is kept costs the more, the more it is.
    const every = Math.max(1, Math.min(pruneEvery, keep), keep / 200);
    if (this.#rests++ % Math.floor(every) !== 0 || this.#isPruning) return;
    const before = steadyNow() - limits.endedTaskMs;
    const prune = async (): Promise<void> => {
      while ((await store.prune(scope, { before, keep })) >= pruneBatch);
      await this.#forgetPruned(keep);
    };
    this.#isPruning = true;
    prune()
      .catch(() => undefined)
      .finally(() => (this.#isPruning = false));
  }

  /** Tasks that waited for their caller until the store forgot them; whoever reads one on hears of it. */
  async #forgetPruned(keep: number): Promise<void> {
    if (this.#actors.size - this.#running.size <= 2 * keep) return;
    const waiting = [...this.#actors.values()].filter((actor) => actor.isAtRest);
    for (const actor of waiting) {
      if (await this.#options.store.get(this.key(actor.id))) continue;
      if (!actor.isAtRest || this.#actors.get(actor.id) !== actor) continue;
      this.#actors.delete(actor.id);
      const text = `Task ${actor.id} waited too long and was forgotten (endedTasks, endedTaskMs); send a new message.`;
      actor.log.close(new WeftError("not_found", text));
    }
  }
}

function forgetActor(actor: TaskActor): void {
  const task = actor.snapshot();
  for (const { messageId } of task.history) remember(actor.session, messageId, actor, task);
}

/**
 * A session outlives its turns, and knows each by what it came to: an actor is a hundred objects. Nothing came of one that
 * was given up. A message whose turn failed may be another's by now.
 */
function remember(
  session: ContextSession<unknown>,
  messageId: string,
  taker: TaskActor | DirectTurn,
  result: Taken | undefined,
): void {
  const known = session.taken(messageId);
  const replace = (taken: unknown): void => {
    if (taken !== taker || session.taken(messageId) !== known) return;
    if (result) session.take(messageId, result);
    else session.forget(messageId, known);
  };
  if (known instanceof Promise) known.then(replace, () => undefined);
  else replace(known);
}
