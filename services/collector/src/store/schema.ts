/**
 * The SQLite file: its tables, how it is opened, and the lock that keeps a second collector out.
 *
 * - `traces`: one row a trace, kept up to date with every commit, so that lists never read spans.
 * - `spans`: what the tree needs; narrow, so that a tree of many spans is few pages.
 * - `bodies`: a span's protobuf bytes as they came.
 * - `texts`: which span recorded a message; at most one as its output and one as its input, the earliest.
 * - `tool_results`: which spans of tool calls hold the responses of a message; also in files that an earlier version made.
 * - `appends`: what spans appended to histories, in order.
 * - `strings`, `groups`: names, and resource with scope, once each.
 */
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { WeftError } from "@weft/tracing";

const schemaVersion = 1;

const tables = `
CREATE TABLE traces (
  no INTEGER PRIMARY KEY, trace_id BLOB NOT NULL UNIQUE, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,
  root_name TEXT NOT NULL, root_start_ns INTEGER, state TEXT NOT NULL, span_count INTEGER NOT NULL,
  error_count INTEGER NOT NULL, turns INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, cost REAL, services TEXT NOT NULL, agents TEXT NOT NULL
) STRICT;
CREATE INDEX traces_by_start ON traces (start_ns, no);
CREATE TABLE trace_services (
  service INTEGER NOT NULL, trace INTEGER NOT NULL, PRIMARY KEY (service, trace)
) STRICT, WITHOUT ROWID;
CREATE INDEX services_by_trace ON trace_services (trace);
CREATE TABLE spans (
  id INTEGER PRIMARY KEY, trace INTEGER NOT NULL, span_id BLOB NOT NULL, parent_id BLOB,
  start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, name INTEGER NOT NULL, grp INTEGER NOT NULL,
  service INTEGER NOT NULL, type INTEGER NOT NULL, agent INTEGER NOT NULL, kind INTEGER NOT NULL,
  status INTEGER NOT NULL, flags INTEGER NOT NULL, marks INTEGER NOT NULL,
  dropped INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX spans_by_id ON spans (trace, span_id);
CREATE TABLE bodies (span INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE texts (
  trace INTEGER NOT NULL, message_id TEXT NOT NULL, made INTEGER NOT NULL, span INTEGER NOT NULL,
  time_ns INTEGER NOT NULL, PRIMARY KEY (trace, message_id, made)
) STRICT, WITHOUT ROWID;
CREATE TABLE appends (
  trace INTEGER NOT NULL, span INTEGER NOT NULL, position INTEGER NOT NULL, entry TEXT NOT NULL,
  PRIMARY KEY (trace, span, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE strings (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE groups (
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, service TEXT NOT NULL, resource BLOB NOT NULL,
  scope BLOB NOT NULL, resource_schema_url TEXT NOT NULL, scope_schema_url TEXT NOT NULL
) STRICT;
`;

const laterTables = `
CREATE TABLE IF NOT EXISTS tool_results (
  trace INTEGER NOT NULL, message_id TEXT NOT NULL, place INTEGER NOT NULL, span INTEGER NOT NULL,
  PRIMARY KEY (trace, message_id, place)
) STRICT, WITHOUT ROWID;
`;

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  readonly close: () => void;
}

/**
 * Opens or creates the file; without a path the traces live in memory.
 * @throws WeftError `failed_precondition` when another collector has it, or another version wrote it
 */
export function openDatabase(path: string | undefined): OpenedDatabase {
  if (path === undefined) {
    const database = new DatabaseSync(":memory:");
    database.exec(tables + laterTables);
    return { database, close: () => database.close() };
  }
  const file = resolve(path);
  const lock = lockFile(file);
  try {
    const database = openFile(file);
    return { database, close: () => closeAll(database, lock) };
  } catch (error) {
    lock.close();
    throw error;
  }
}

function openFile(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    // FULL: an acknowledged batch survives a power cut, not only a killed process. Group commit pays for it.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;");
    migrate(database, file);
    database.exec(laterTables);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof WeftError) throw error;
    throw cannotOpen(file, error);
  }
}

function migrate(database: DatabaseSync, file: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version === schemaVersion) return;
  if (version !== 0) {
    throw new WeftError(
      "failed_precondition",
      `${file} was written by another version of Weft (schema ${String(version)}, this is ${String(schemaVersion)}); give another file`,
    );
  }
  database.exec(`BEGIN; ${tables} PRAGMA user_version = ${String(schemaVersion)}; COMMIT;`);
}

/** An exclusive transaction on a file beside it: the kernel lets it go when the process dies, however it dies. */
function lockFile(file: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    lock = new DatabaseSync(`${file}.lock`);
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    return lock;
  } catch (error) {
    lock?.close();
    if (!isBusy(error)) throw cannotOpen(file, error);
    throw new WeftError("failed_precondition", `${file} is in use by another collector`, { cause: error });
  }
}

function cannotOpen(file: string, error: unknown): WeftError {
  const reason = error instanceof Error ? error.message : String(error);
  return new WeftError("failed_precondition", `${file} cannot be opened as a trace store: ${reason}`, {
    cause: error,
  });
}

/** SQLITE_BUSY, whatever its extension. */
function isBusy(error: unknown): boolean {
  const code: unknown = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" && (code & 0xff) === 5;
}

function closeAll(database: DatabaseSync, lock: DatabaseSync): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
    lock.close();
  }
}
