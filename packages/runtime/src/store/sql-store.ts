import { randomUUID } from "node:crypto";
import { WeftError } from "@weft/tracing";
import { decodeChunks, decodeRow, encodeCommit } from "./sql-tasks.ts";
import type { SqlCommit, SqlOperation, sqlTasks } from "./sql-tasks.ts";
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

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never;
export type SqlArguments<O extends SqlOperation> = Tail<Parameters<(typeof sqlTasks)[O]>>;
export type SqlAnswer<O extends SqlOperation> = Awaited<ReturnType<(typeof sqlTasks)[O]>>;

/** How one database runs an operation: in a transaction of its own, or with others in one. */
export interface SqlDriver extends AsyncDisposable {
  call<O extends SqlOperation>(operation: O, ...given: SqlArguments<O>): Promise<SqlAnswer<O>>;
  isGone(instance: string): Promise<boolean>;
}

/** The store's contract over an SQL driver. */
export class SqlStore implements TaskStore {
  readonly isDurable = true;
  readonly instance: string;
  readonly #driver: SqlDriver;

  constructor(open: (instance: string) => SqlDriver) {
    this.instance = randomUUID();
    this.#driver = open(this.instance);
  }

  /** Rejects with `invalid_argument` for what is not JSON. */
  async commit(commit: TaskCommit): Promise<CommitResult> {
    return this.#driver.call("commit", encoded({ ...commit, key: plain(commit.key) }));
  }

  async get(key: TaskKey): Promise<TaskRow | undefined> {
    const row = await this.#driver.call("get", plain(key));
    return row && decodeRow(row);
  }

  async list(query: TaskQuery): Promise<TaskPage> {
    const { rows, total } = await this.#driver.call("list", query);
    return { rows: rows.map(decodeRow), total };
  }

  async events(key: TaskKey, from: number, limit: number): Promise<readonly StoredEvent[]> {
    return decodeChunks(await this.#driver.call("chunks", plain(key), from, limit), from, limit);
  }

  steps(key: TaskKey): Promise<readonly StepRow[]> {
    return this.#driver.call("steps", plain(key));
  }

  findMessage(context: ContextKey, messageId: string): Promise<string | undefined> {
    return this.#driver.call("findMessage", context, messageId);
  }

  context(context: ContextKey, from: number): ReturnType<TaskStore["context"]> {
    return this.#driver.call("context", plainContext(context), from);
  }

  async listOpen(scope: string): Promise<readonly TaskRow[]> {
    return (await this.#driver.call("listOpen", scope, this.instance)).map(decodeRow);
  }

  requestCancel(key: TaskKey): Promise<void> {
    return this.#driver.call("requestCancel", plain(key));
  }

  async takeCancels(scope: string): Promise<readonly string[]> {
    if (!(await this.#driver.call("hasCancels", scope, this.instance))) return [];
    return this.#driver.call("takeCancels", scope, this.instance);
  }

  async beat(): Promise<ReadonlyMap<string, number>> {
    return new Map(await this.#driver.call("beat", this.instance));
  }

  async isGone(instance: string): Promise<boolean> {
    if (instance === this.instance) return false;
    return instance === "" || this.#driver.isGone(instance);
  }

  prune(scope: string, { before, keep }: { before: number; keep: number }): Promise<number> {
    return this.#driver.call("prune", scope, before, keep);
  }

  putPush(key: TaskKey, push: PushRow): Promise<void> {
    return this.#driver.call("putPush", plain(key), push);
  }

  listPush(key: TaskKey): Promise<readonly PushRow[]> {
    return this.#driver.call("listPush", plain(key));
  }

  deletePush(key: TaskKey, id: string): Promise<boolean> {
    return this.#driver.call("deletePush", plain(key), id);
  }

  listDuePush(scope: string, id?: string): Promise<readonly DuePush[]> {
    return this.#driver.call("listDuePush", scope, this.instance, id ?? null);
  }

  claimPush(push: DuePush): Promise<boolean> {
    return this.#driver.call("claimPush", push, this.instance);
  }

  markPushSent(key: TaskKey, pushId: string, place: number): Promise<void> {
    return this.#driver.call("markPushSent", plain(key), pushId, place);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#driver[Symbol.asyncDispose]());
  }
}

/** A row is a key too; what it holds besides need not cross to another thread. */
function plain({ scope, id }: TaskKey): TaskKey {
  return { scope, id };
}

function plainContext({ scope, owner, contextId }: ContextKey): ContextKey {
  return { scope, owner, contextId };
}

function encoded(commit: TaskCommit): SqlCommit {
  try {
    return encodeCommit(commit);
  } catch (error) {
    const why = WeftError.from(error).message;
    throw new WeftError("invalid_argument", `What the agent said is not JSON: ${why}`, { cause: error });
  }
}
