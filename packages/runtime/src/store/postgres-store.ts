import type { Pool, PoolClient } from "pg";
import { WeftError } from "@weft/tracing";
import { SqlStore } from "./sql-store.ts";
import type { SqlAnswer, SqlArguments, SqlDriver } from "./sql-store.ts";
import { sqlTables, sqlTasks } from "./sql-tasks.ts";
import type { RunSql, SqlRow } from "./run-sql.ts";
import type { SqlOperation } from "./sql-tasks.ts";
import type { TaskStore } from "./task-store.ts";

export interface PostgresStoreOptions {
  /** Connections at once. Default 10. */
  readonly connections?: number;
}

/**
 * Tasks in Postgres, for services of several processes or machines. Tables `weft_*` are made when they are missing.
 *
 * @throws WeftError at the first call: `missing_dependency` without the package `pg`, `unavailable` without the server
 */
export function postgresStore(url: string, options: PostgresStoreOptions = {}): TaskStore {
  if (url === "") throw new WeftError("invalid_argument", "postgresStore needs a connection string.");
  return new SqlStore((instance) => new PostgresDriver(url, instance, options.connections ?? 10));
}

/**
 * Job: one transaction per call, on a pool.
 * Owns: the pool, and one session whose advisory lock says that this instance lives: it ends with the process.
 *
 * I1  `stale` and `duplicate` roll back.
 */
class PostgresDriver implements SqlDriver {
  readonly #url: string;
  readonly #instance: string;
  readonly #connections: number;
  #opening: Promise<{ readonly pool: Pool; readonly life: PoolClient }> | undefined;

  constructor(url: string, instance: string, connections: number) {
    this.#url = url;
    this.#instance = instance;
    this.#connections = connections;
  }

  async call<O extends SqlOperation>(operation: O, ...given: SqlArguments<O>): Promise<SqlAnswer<O>> {
    const { pool } = await this.#open();
    const client = await pool.connect().catch(refuse);
    const run: RunSql = async (sql, values = []) => (await client.query<SqlRow>(sql, [...values])).rows;
    const perform = sqlTasks[operation] as (run: RunSql, ...given: SqlArguments<O>) => Promise<SqlAnswer<O>>;
    try {
      await run("BEGIN");
      const answer = await perform(run, ...given);
      await run(answer === "stale" || answer === "duplicate" ? "ROLLBACK" : "COMMIT");
      client.release();
      return answer;
    } catch (error) {
      // A connection in an unknown state is not used again.
      client.release(true);
      return refuse(error);
    }
  }

  async isGone(instance: string): Promise<boolean> {
    const { pool } = await this.#open();
    const client = await pool.connect().catch(refuse);
    try {
      const sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS free";
      const { rows } = await client.query<{ free: boolean }>(sql, [instance]);
      const isFree = rows[0]?.free === true;
      if (isFree) {
        await client.query("DELETE FROM weft_instances WHERE instance = $1", [instance]);
        await client.query("SELECT pg_advisory_unlock(hashtextextended($1, 0))", [instance]);
      }
      return isFree;
    } catch (error) {
      return refuse(error);
    } finally {
      client.release();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    this.#opening = Promise.reject(new WeftError("unavailable", "The task store is closed."));
    this.#opening.catch(() => undefined);
    // The server would free the lock only once it has seen the connection end.
    await opened?.life.query("SELECT pg_advisory_unlock_all()").catch(() => undefined);
    opened?.life.release(true);
    await opened?.pool.end();
  }

  #open(): Promise<{ readonly pool: Pool; readonly life: PoolClient }> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      return refuse(error);
    });
    return this.#opening;
  }

  async #connect(): Promise<{ readonly pool: Pool; readonly life: PoolClient }> {
    const { default: pg } = await import("pg").catch(missing);
    const pool = new pg.Pool({
      connectionString: this.#url,
      max: this.#connections + 1,
      allowExitOnIdle: true,
    });
    // A connection that breaks while idle is replaced by the pool.
    pool.on("error", () => undefined);
    try {
      const life = await pool.connect();
      life.on("error", () => undefined);
      await life.query("SELECT pg_advisory_lock(hashtextextended($1, 0))", [this.#instance]);
      await life.query("SELECT pg_advisory_lock(hashtextextended('weft tables', 0))");
      for (const sql of sqlTables('COLLATE "C"')) await life.query(sql);
      await life.query("SELECT pg_advisory_unlock(hashtextextended('weft tables', 0))");
      return { pool, life };
    } catch (error) {
      await pool.end();
      return refuse(error);
    }
  }
}

function missing(cause: unknown): never {
  throw new WeftError("missing_dependency", "postgresStore needs the package pg: npm i pg", { cause });
}

function refuse(error: unknown): never {
  if (error instanceof WeftError) throw error;
  const text = error instanceof Error ? error.message : String(error);
  throw new WeftError("unavailable", `The task store: ${text}`, { cause: error, retryable: true });
}
