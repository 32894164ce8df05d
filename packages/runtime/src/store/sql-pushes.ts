import type { RunSql } from "./run-sql.ts";
import type { DuePush, PushRow, TaskKey } from "./task-store.ts";

/** All of a task's pushes are to tell of the event at a place; the task's row says who sends it. */
export async function setPushDue(run: RunSql, { scope, id }: TaskKey, due: number): Promise<void> {
  await run(
    `UPDATE weft_pushes SET due = $3, instance = (SELECT instance FROM weft_tasks WHERE scope = $1 AND id = $2)
     WHERE scope = $1 AND task_id = $2`,
    [scope, id, due],
  );
}

/** The operations on push notifications: where they go, and the outbox. */
export const sqlPushes = {
  async putPush(run: RunSql, { scope, id }: TaskKey, push: PushRow): Promise<void> {
    await run(
      `INSERT INTO weft_pushes (scope, task_id, id, body) VALUES ($1, $2, $3, $4)
       ON CONFLICT (scope, task_id, id) DO UPDATE SET body = excluded.body`,
      [scope, id, push.id, push.body],
    );
  },

  async listPush(run: RunSql, { scope, id }: TaskKey): Promise<readonly PushRow[]> {
    const rows = await run(`SELECT id, body FROM weft_pushes WHERE scope = $1 AND task_id = $2 ORDER BY id`, [
      scope,
      id,
    ]);
    return rows.map((row) => ({ id: String(row["id"]), body: String(row["body"]) }));
  },

  async deletePush(run: RunSql, { scope, id }: TaskKey, pushId: string): Promise<boolean> {
    const rows = await run(
      `DELETE FROM weft_pushes WHERE scope = $1 AND task_id = $2 AND id = $3 RETURNING id`,
      [scope, id, pushId],
    );
    return rows.length > 0;
  },

  async listDuePush(
    run: RunSql,
    scope: string,
    instance: string,
    id: string | null,
  ): Promise<readonly DuePush[]> {
    const values = id === null ? [scope, instance] : [scope, instance, id];
    const rows = await run(
      `SELECT * FROM weft_pushes WHERE scope = $1 AND instance <> $2 AND due > sent${id === null ? "" : " AND task_id = $3"} LIMIT 1000`,
      values,
    );
    return rows.map((row) => ({
      scope,
      id: String(row["task_id"]),
      pushId: String(row["id"]),
      body: String(row["body"]),
      due: Number(row["due"]),
      sent: Number(row["sent"]),
      instance: String(row["instance"]),
    }));
  },

  async claimPush(run: RunSql, push: DuePush, instance: string): Promise<boolean> {
    const rows = await run(
      `UPDATE weft_pushes SET instance = $5 WHERE scope = $1 AND task_id = $2 AND id = $3 AND instance = $4 RETURNING id`,
      [push.scope, push.id, push.pushId, push.instance, instance],
    );
    return rows.length > 0;
  },

  async markPushSent(run: RunSql, { scope, id }: TaskKey, pushId: string, place: number): Promise<void> {
    await run(
      `UPDATE weft_pushes SET sent = $4 WHERE scope = $1 AND task_id = $2 AND id = $3 AND sent < $4`,
      [scope, id, pushId, place],
    );
  },
} as const;
