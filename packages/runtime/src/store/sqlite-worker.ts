/*
 * The SQLite store's thread.
 *
 * Job: SQLite is synchronous, so it runs here. What arrives while a commit runs becomes one transaction (group commit).
 * Owns: the connection; the lock file and the file of beats that say this instance lives.
 *
 * I1  A call is answered after its commit, never before.
 * I2  A call that fails or is stale takes back its own writes and nobody else's.
 * I3  The kernel frees the lock file when the process dies, however it dies.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { WeftError } from "@weft/tracing";
import { sqlTables, sqlTasks } from "./sql-tasks.ts";
import type { RunSql, SqlRow, SqlValue } from "./run-sql.ts";
import type { SqlOperation } from "./sql-tasks.ts";

export interface WorkerCall {
  readonly id: number;
  readonly operation: SqlOperation | "isGone" | "close";
  readonly given: readonly unknown[];
}

export type WorkerAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

const { path, instance } = workerData as { readonly path: string; readonly instance: string };
const maxCallsPerCommit = 500;
const writes: ReadonlySet<string> = new Set<SqlOperation>([
  "commit",
  "requestCancel",
  "takeCancels",
  "prune",
  "putPush",
  "deletePush",
  "claimPush",
  "markPushSent",
]);

const lock = holdLock(instance);
const database = openDatabase();
const statements = new Map<string, StatementSync>();
let waiting: WorkerCall[] = [];
let isBusy = false;
let beats = 0;

parentPort!.on("message", (call: WorkerCall) => {
  waiting.push(call);
  if (isBusy) return;
  isBusy = true;
  setImmediate(() => void work());
});

async function work(): Promise<void> {
  while (waiting.length > 0) {
    const batch = waiting.slice(0, maxCallsPerCommit);
    waiting = waiting.slice(maxCallsPerCommit);
    const answers = await transact(batch);
    for (const answer of answers) parentPort!.postMessage(answer, []);
    if (batch.some(({ operation }) => operation === "close")) return close();
    // What was sent meanwhile is read before the next commit.
    await new Promise((resolve) => setImmediate(resolve));
  }
  isBusy = false;
}

async function transact(batch: readonly WorkerCall[]): Promise<readonly WorkerAnswer[]> {
  const isWrite = batch.some(({ operation }) => writes.has(operation));
  const answers: WorkerAnswer[] = [];
  try {
    if (isWrite) database.exec("BEGIN IMMEDIATE");
    for (const call of batch) answers.push(await perform(call));
    if (isWrite) database.exec("COMMIT");
    return answers;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    const text = WeftError.from(error).message;
    return batch.map(({ id }) => ({ id, error: text }));
  }
}

async function perform({ id, operation, given }: WorkerCall): Promise<WorkerAnswer> {
  if (operation === "isGone") return { id, result: isGone(String(given[0])) };
  if (operation === "beat") return { id, result: beat() };
  if (operation === "close") return { id, result: undefined };
  if (!writes.has(operation)) return { id, result: await invoke(operation, given) };
  database.exec("SAVEPOINT one");
  try {
    const result = await invoke(operation, given);
    if (result === "stale" || result === "duplicate") database.exec("ROLLBACK TO one");
    database.exec("RELEASE one");
    return { id, result };
  } catch (error) {
    database.exec("ROLLBACK TO one");
    database.exec("RELEASE one");
    return { id, error: WeftError.from(error).message };
  }
}

function invoke(operation: SqlOperation, given: readonly unknown[]): Promise<unknown> {
  const perform = sqlTasks[operation] as (run: RunSql, ...given: readonly unknown[]) => Promise<unknown>;
  return perform(run, ...given);
}

function run(sql: string, values: readonly SqlValue[] = []): readonly SqlRow[] {
  let statement = statements.get(sql);
  if (!statement) {
    statement = database.prepare(sql.replaceAll(/\$(\d+)/g, "?$1"));
    statements.set(sql, statement);
  }
  return statement.all(...values);
}

function openDatabase(): DatabaseSync {
  const opened = new DatabaseSync(path);
  opened.exec("PRAGMA busy_timeout = 10000");
  opened.exec("PRAGMA journal_mode = WAL");
  opened.exec("PRAGMA synchronous = FULL");
  for (const sql of sqlTables()) opened.exec(sql);
  return opened;
}

function lockPath(name: string): string | undefined {
  return path === ":memory:" ? undefined : `${path}.${name}.lock`;
}

/** Node has no flock; an exclusive transaction of another database is one. */
function holdLock(name: string): DatabaseSync | undefined {
  const file = lockPath(name);
  if (file === undefined) return undefined;
  const held = new DatabaseSync(file);
  held.exec("PRAGMA locking_mode = EXCLUSIVE");
  held.exec("BEGIN EXCLUSIVE");
  return held;
}

function isGone(name: string): boolean {
  const file = lockPath(name);
  if (file === undefined || name === instance) return false;
  if (!existsSync(file)) return true;
  const probe = new DatabaseSync(file);
  try {
    probe.exec("PRAGMA locking_mode = EXCLUSIVE");
    probe.exec("BEGIN EXCLUSIVE");
    probe.exec("ROLLBACK");
  } catch {
    return false;
  } finally {
    probe.close();
  }
  forget(name);
  return true;
}

/** A file each, no row: a process that is paused in the middle of its sign of life must not hold the database. */
function beat(): readonly (readonly [string, number])[] {
  beats++;
  if (path === ":memory:") return [[instance, beats]];
  const prefix = `${basename(path)}.`;
  writeFileSync(`${path}.${instance}.beat`, String(beats));
  return readdirSync(dirname(path))
    .filter((file) => file.startsWith(prefix) && file.endsWith(".beat"))
    .map((file) => {
      const name = file.slice(prefix.length, -".beat".length);
      return [name, readBeats(`${path}.${name}.beat`)] as const;
    });
}

/** A file that is being written, or was just removed, reads as a change or as none: nothing is decided by one look. */
function readBeats(file: string): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}

function forget(name: string): void {
  for (const end of ["lock", "lock-journal", "beat"]) rmSync(`${path}.${name}.${end}`, { force: true });
}

function close(): void {
  database.close();
  lock?.close();
  if (lock) forget(instance);
  parentPort!.close();
}
