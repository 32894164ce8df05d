/*
 * SqlTasks: the store's contract in SQL that SQLite and Postgres both speak.
 *
 * Job: one set of statements for both; parameters are `$1`, `$2` …
 * Owns: tables and statements. Does not own: connections or transactions (the drivers').
 *
 * I1  A commit reads and writes inside the caller's transaction; `stale` and `duplicate` ask the caller to roll back.
 */
import { StreamResponse, Task } from "@a2a-js/sdk";
import { setPushDue, sqlPushes } from "./sql-pushes.ts";
import { pruneBatch } from "./task-store.ts";
import type { RunSql, SqlRow, SqlValue } from "./run-sql.ts";
import type {
  CommitResult,
  ContextKey,
  StepRow,
  StoredContext,
  StoredEvent,
  TaskCommit,
  TaskKey,
  TaskBody,
  TaskQuery,
  TaskRow,
} from "./task-store.ts";

/** Names of ids may sort by locale in Postgres: `COLLATE "C"` there. */
export function sqlTables(collate = ""): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS weft_tasks (scope TEXT NOT NULL, id TEXT ${collate} NOT NULL, owner TEXT NOT NULL, context_id TEXT NOT NULL,
     version BIGINT NOT NULL, epoch BIGINT NOT NULL, instance TEXT NOT NULL, state INTEGER NOT NULL, is_open INTEGER NOT NULL,
     changed_at BIGINT NOT NULL, body TEXT NOT NULL, cancel_wanted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (scope, id))`,
    `CREATE INDEX IF NOT EXISTS weft_tasks_newest ON weft_tasks (scope, owner, changed_at DESC, id, state)`,
    `CREATE INDEX IF NOT EXISTS weft_tasks_context ON weft_tasks (scope, owner, context_id, changed_at DESC, id)`,
    `CREATE INDEX IF NOT EXISTS weft_tasks_open ON weft_tasks (scope, is_open, changed_at)`,
    `CREATE TABLE IF NOT EXISTS weft_messages (scope TEXT NOT NULL, owner TEXT NOT NULL, context_id TEXT NOT NULL, message_id TEXT NOT NULL,
     task_id TEXT NOT NULL, PRIMARY KEY (scope, owner, context_id, message_id))`,
    `CREATE INDEX IF NOT EXISTS weft_messages_task ON weft_messages (scope, task_id)`,
    `CREATE TABLE IF NOT EXISTS weft_events (scope TEXT NOT NULL, task_id TEXT NOT NULL, last_place BIGINT NOT NULL, body TEXT NOT NULL,
     PRIMARY KEY (scope, task_id, last_place))`,
    `CREATE TABLE IF NOT EXISTS weft_steps (scope TEXT NOT NULL, task_id TEXT NOT NULL, step_key TEXT NOT NULL, place BIGINT NOT NULL,
     intent TEXT NOT NULL, result TEXT, PRIMARY KEY (scope, task_id, step_key))`,
    `CREATE TABLE IF NOT EXISTS weft_contexts (scope TEXT NOT NULL, owner TEXT NOT NULL, context_id TEXT NOT NULL, body TEXT NOT NULL,
     PRIMARY KEY (scope, owner, context_id))`,
    `CREATE TABLE IF NOT EXISTS weft_history (scope TEXT NOT NULL, owner TEXT NOT NULL, context_id TEXT NOT NULL, place BIGINT NOT NULL,
     body TEXT NOT NULL, PRIMARY KEY (scope, owner, context_id, place))`,
    `CREATE TABLE IF NOT EXISTS weft_pushes (scope TEXT NOT NULL, task_id TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
     due BIGINT NOT NULL DEFAULT -1, sent BIGINT NOT NULL DEFAULT -1, instance TEXT NOT NULL DEFAULT '', PRIMARY KEY (scope, task_id, id))`,
    `CREATE INDEX IF NOT EXISTS weft_pushes_due ON weft_pushes (scope, instance) WHERE due > sent`,
    `CREATE TABLE IF NOT EXISTS weft_instances (instance TEXT PRIMARY KEY, beats BIGINT NOT NULL)`,
  ];
}

/** What crosses to the SQLite thread: events already as JSON. */
export type SqlCommit = Omit<TaskCommit, "events" | "row"> & {
  readonly row?: SqlTaskRow;
  readonly chunk?: EventChunk;
};
/** The body is JSON. */
export type SqlTaskRow = TaskRow<string>;
export interface SqlTaskPage {
  readonly rows: readonly SqlTaskRow[];
  readonly total: number;
}
/** Events in one row: one write however many there are. */
export interface EventChunk {
  readonly last: number;
  readonly body: string;
}

/** Encodes a commit's events, before it is sent anywhere. */
export function encodeCommit({ events, row, ...commit }: TaskCommit): SqlCommit {
  const encoded: SqlCommit = row ? { ...commit, row: { ...row, body: encodeBody(row.body) } } : commit;
  if (!events?.length) return encoded;
  const body = JSON.stringify(
    events.map((event) => [
      event.place,
      event.epoch,
      event.isAgentEvent ? 1 : 0,
      StreamResponse.toJSON(event.response),
    ]),
  );
  return { ...encoded, chunk: { last: events.at(-1)!.place, body } };
}

function encodeBody({ task, ...rest }: TaskBody): string {
  return JSON.stringify({ ...rest, task: Task.toJSON(task) });
}

export function decodeRow(row: SqlTaskRow): TaskRow {
  const body = JSON.parse(row.body) as Omit<TaskBody, "task"> & { readonly task: unknown };
  return { ...row, body: { ...body, task: Task.fromJSON(body.task) } };
}

export function decodeChunks(chunks: readonly string[], from: number, limit: number): StoredEvent[] {
  const events = chunks.flatMap((chunk) => JSON.parse(chunk) as [number, number, number, unknown][]);
  return events
    .filter(([place]) => place >= from)
    .slice(0, limit)
    .map(([place, epoch, flag, response]) => ({
      place,
      epoch,
      isAgentEvent: flag === 1,
      response: StreamResponse.fromJSON(response),
    }));
}

/** The operations, by name: the SQLite thread is told which. */
export const sqlTasks = {
  async commit(run: RunSql, commit: SqlCommit): Promise<CommitResult> {
    const { key, row, messageId, messageFrom, context, chunk } = commit;
    if ((await writeRow(run, commit)) === 0) return "stale";
    const { scope, id } = key;
    if (messageId !== undefined) {
      const owner = row ?? (await sqlTasks.get(run, key))!;
      const added = await run(
        `INSERT INTO weft_messages VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope, owner, context_id, message_id)
         DO UPDATE SET task_id = excluded.task_id WHERE weft_messages.task_id = $6 RETURNING task_id`,
        [scope, owner.owner, owner.contextId, messageId, id, messageFrom ?? ""],
      );
      if (added.length === 0) return "duplicate";
    }
    if (chunk)
      await run(`INSERT INTO weft_events VALUES ($1, $2, $3, $4)`, [scope, id, chunk.last, chunk.body]);
    for (const step of commit.steps ?? []) {
      await run(
        `INSERT INTO weft_steps VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (scope, task_id, step_key) DO UPDATE SET place = excluded.place, intent = excluded.intent, result = excluded.result`,
        [scope, id, step.key, step.place, step.intent, step.result ?? null],
      );
    }
    if (context) await writeContext(run, context, commit.history ?? []);
    if (commit.due !== undefined) await setPushDue(run, key, commit.due);
    return "committed";
  },

  async get(run: RunSql, { scope, id }: TaskKey): Promise<SqlTaskRow | undefined> {
    const [row] = await run(`SELECT * FROM weft_tasks WHERE scope = $1 AND id = $2`, [scope, id]);
    return row && toTaskRow(row);
  },

  async list(run: RunSql, query: TaskQuery): Promise<SqlTaskPage> {
    const values: SqlValue[] = [query.scope, query.owner, query.changedFrom ?? 0];
    let where = `scope = $1 AND owner = $2 AND changed_at >= $3`;
    if (query.contextId !== undefined) where += ` AND context_id = $${values.push(query.contextId)}`;
    if (query.state !== undefined) where += ` AND state = $${values.push(query.state)}`;
    const [count] = await run(`SELECT count(*) AS total FROM weft_tasks WHERE ${where}`, values);
    if (query.after) {
      const at = values.push(query.after.changedAt);
      const id = values.push(query.after.id);
      where += ` AND (changed_at < $${at} OR (changed_at = $${at} AND id > $${id}))`;
    }
    const limit = values.push(query.limit);
    const rows = await run(
      `SELECT * FROM weft_tasks WHERE ${where} ORDER BY changed_at DESC, id LIMIT $${limit}`,
      values,
    );
    return { rows: rows.map(toTaskRow), total: Number(count!["total"]) };
  },

  /** Chunks as they are stored: decoding is not the database thread's work. */
  async chunks(run: RunSql, { scope, id }: TaskKey, from: number, limit: number): Promise<readonly string[]> {
    const rows = await run(
      `SELECT body FROM weft_events WHERE scope = $1 AND task_id = $2 AND last_place >= $3 ORDER BY last_place LIMIT $4`,
      [scope, id, from, limit],
    );
    return rows.map((row) => String(row["body"]));
  },

  async steps(run: RunSql, { scope, id }: TaskKey): Promise<readonly StepRow[]> {
    const rows = await run(`SELECT * FROM weft_steps WHERE scope = $1 AND task_id = $2 ORDER BY place`, [
      scope,
      id,
    ]);
    return rows.map((row) => ({
      key: String(row["step_key"]),
      place: Number(row["place"]),
      intent: String(row["intent"]),
      result: (row["result"] as string | null) ?? undefined,
    }));
  },

  async findMessage(run: RunSql, key: ContextKey, messageId: string): Promise<string | undefined> {
    const [row] = await run(
      `SELECT task_id FROM weft_messages WHERE scope = $1 AND owner = $2 AND context_id = $3 AND message_id = $4`,
      [key.scope, key.owner, key.contextId, messageId],
    );
    return row && String(row["task_id"]);
  },

  async context(
    run: RunSql,
    { scope, owner, contextId }: ContextKey,
    from: number,
  ): Promise<StoredContext | undefined> {
    const values = [scope, owner, contextId];
    const where = `scope = $1 AND owner = $2 AND context_id = $3`;
    const [row] = await run(`SELECT body FROM weft_contexts WHERE ${where}`, values);
    if (!row) return undefined;
    const sql = `SELECT place, body FROM weft_history WHERE ${where} AND place >= $4 ORDER BY place`;
    const history = await run(sql, [...values, from]);
    return {
      body: String(row["body"]),
      history: history.map((each) => ({ place: Number(each["place"]), body: String(each["body"]) })),
    };
  },

  async listOpen(run: RunSql, scope: string, instance: string): Promise<readonly SqlTaskRow[]> {
    const rows = await run(
      `SELECT * FROM weft_tasks WHERE scope = $1 AND is_open = 1 AND instance <> $2 ORDER BY changed_at LIMIT 1000`,
      [scope, instance],
    );
    return rows.map(toTaskRow);
  },

  async requestCancel(run: RunSql, { scope, id }: TaskKey): Promise<void> {
    await run(`UPDATE weft_tasks SET cancel_wanted = 1 WHERE scope = $1 AND id = $2`, [scope, id]);
  },

  /** Read before it is written: nobody waits for a writer to be told that there is nothing. */
  async hasCancels(run: RunSql, scope: string, instance: string): Promise<boolean> {
    const sql = `SELECT 1 AS one FROM weft_tasks WHERE scope = $1 AND is_open = 1 AND instance = $2 AND cancel_wanted = 1 LIMIT 1`;
    return (await run(sql, [scope, instance])).length > 0;
  },

  async takeCancels(run: RunSql, scope: string, instance: string): Promise<readonly string[]> {
    const rows = await run(
      `UPDATE weft_tasks SET cancel_wanted = 0 WHERE scope = $1 AND is_open = 1 AND instance = $2 AND cancel_wanted = 1 RETURNING id`,
      [scope, instance],
    );
    return rows.map((row) => String(row["id"]));
  },

  async beat(run: RunSql, instance: string): Promise<readonly (readonly [string, number])[]> {
    await run(
      `INSERT INTO weft_instances VALUES ($1, 1) ON CONFLICT (instance) DO UPDATE SET beats = weft_instances.beats + 1`,
      [instance],
    );
    const rows = await run(`SELECT instance, beats FROM weft_instances`);
    return rows.map((row) => [String(row["instance"]), Number(row["beats"])] as const);
  },

  async prune(run: RunSql, scope: string, before: number, keep: number): Promise<number> {
    const atRest = `FROM weft_tasks WHERE scope = $1 AND is_open = 0`;
    const [count] = await run(`SELECT count(*) AS total ${atRest}`, [scope]);
    const excess = Number(count!["total"]) - keep;
    const sql = `SELECT id, version, owner, context_id, changed_at ${atRest} ORDER BY changed_at, id DESC LIMIT ${pruneBatch}`;
    const oldest = await run(sql, [scope]);
    const old = oldest.filter((row, at) => at < excess || Number(row["changed_at"]) < before);
    for (const row of old) await forget(run, scope, row);
    return old.length;
  },

  ...sqlPushes,
} as const;

export type SqlOperation = keyof typeof sqlTasks;

/** A task that rests, unless somebody took it up meanwhile, and its conversation if that has no other. */
async function forget(run: RunSql, scope: string, row: SqlRow): Promise<void> {
  const task = [scope, String(row["id"])];
  const sql = `DELETE FROM weft_tasks WHERE scope = $1 AND id = $2 AND version = $3 RETURNING id`;
  const gone = await run(sql, [...task, Number(row["version"])]);
  if (gone.length === 0) return;
  for (const table of ["weft_messages", "weft_events", "weft_steps", "weft_pushes"])
    await run(`DELETE FROM ${table} WHERE scope = $1 AND task_id = $2`, task);
  const context = [scope, String(row["owner"]), String(row["context_id"])];
  const where = `WHERE scope = $1 AND owner = $2 AND context_id = $3`;
  const others = await run(`SELECT 1 AS one FROM weft_tasks ${where} LIMIT 1`, context);
  if (others.length > 0) return;
  for (const table of ["weft_contexts", "weft_history"]) await run(`DELETE FROM ${table} ${where}`, context);
}

/** How many rows it wrote: 0 is a writer that is behind. The update locks the row until the transaction ends. */
async function writeRow(run: RunSql, { key, row, epoch, version }: SqlCommit): Promise<number> {
  if (!row) {
    const values = [key.scope, key.id, epoch];
    const sql = `UPDATE weft_tasks SET epoch = epoch WHERE scope = $1 AND id = $2 AND epoch = $3 RETURNING id`;
    return (await run(sql, values)).length;
  }
  const own = [row.version, row.epoch, row.instance, row.state, row.isOpen ? 1 : 0, row.changedAt, row.body];
  if (version === 0) {
    const sql = `INSERT INTO weft_tasks (scope, id, owner, context_id, version, epoch, instance, state, is_open, changed_at, body)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING id`;
    return (await run(sql, [row.scope, row.id, row.owner, row.contextId, ...own])).length;
  }
  const sql = `UPDATE weft_tasks SET version = $3, epoch = $4, instance = $5, state = $6, is_open = $7, changed_at = $8, body = $9
    WHERE scope = $1 AND id = $2 AND version = $10 AND epoch = $11 RETURNING id`;
  return (await run(sql, [row.scope, row.id, ...own, version, epoch])).length;
}

async function writeContext(
  run: RunSql,
  { scope, owner, contextId, body }: ContextKey & { readonly body: string },
  history: readonly { readonly place: number; readonly body: string }[],
): Promise<void> {
  await run(
    `INSERT INTO weft_contexts VALUES ($1, $2, $3, $4) ON CONFLICT (scope, owner, context_id) DO UPDATE SET body = excluded.body`,
    [scope, owner, contextId, body],
  );
  for (const message of history) {
    await run(`INSERT INTO weft_history VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, [
      scope,
      owner,
      contextId,
      message.place,
      message.body,
    ]);
  }
}

function toTaskRow(row: SqlRow): SqlTaskRow {
  return {
    scope: String(row["scope"]),
    id: String(row["id"]),
    owner: String(row["owner"]),
    contextId: String(row["context_id"]),
    version: Number(row["version"]),
    epoch: Number(row["epoch"]),
    instance: String(row["instance"]),
    state: Number(row["state"]),
    isOpen: Number(row["is_open"]) === 1,
    changedAt: Number(row["changed_at"]),
    body: String(row["body"]),
  };
}
