import { Worker } from "node:worker_threads";
import { WeftError } from "@weft/tracing";
import { SqlStore } from "./sql-store.ts";
import type { SqlAnswer, SqlArguments, SqlDriver } from "./sql-store.ts";
import type { SqlOperation } from "./sql-tasks.ts";
import type { WorkerAnswer, WorkerCall } from "./sqlite-worker.ts";
import type { TaskStore } from "./task-store.ts";

/**
 * Tasks in one SQLite file (`node:sqlite`, in a thread of its own; what is written at once is committed at once). The
 * folder must be there. Several processes of one machine may share the file.
 */
export function sqliteStore(path: string): TaskStore {
  if (path === "") throw new WeftError("invalid_argument", "sqliteStore needs the path of its file.");
  return new SqlStore((instance) => new SqliteDriver(path, instance));
}

/**
 * Job: calls to the thread and their answers.
 *
 * I1  Every call settles: with its answer, or with `unavailable` when the thread is gone.
 * I2  An idle store does not hold the process.
 */
class SqliteDriver implements SqlDriver {
  readonly #worker: Worker;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #gone: WeftError | undefined;

  constructor(path: string, instance: string) {
    // Beside this file, from source as well as from `dist`.
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    // Not the process's own flags: `--import` would start tracing, or whatever it starts, a second time.
    const execArgv = extension === "ts" ? ["--conditions=@weft/source"] : [];
    this.#worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
      workerData: { path, instance },
      execArgv,
    });
    this.#worker.unref();
    this.#worker.on("message", (answer: WorkerAnswer) => this.#receive(answer));
    this.#worker.on("error", (error) => this.#end(`The task store failed: ${error.message}`));
    this.#worker.on("exit", () => this.#end("The task store is closed."));
  }

  call<O extends SqlOperation>(operation: O, ...given: SqlArguments<O>): Promise<SqlAnswer<O>> {
    return this.#call(operation, given) as Promise<SqlAnswer<O>>;
  }

  async isGone(instance: string): Promise<boolean> {
    return (await this.#call("isGone", [instance])) === true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#gone) return;
    await this.#call("close", []).catch(() => undefined);
    await this.#worker.terminate();
  }

  #call(operation: WorkerCall["operation"], given: readonly unknown[]): Promise<unknown> {
    if (this.#gone) return Promise.reject(this.#gone);
    const id = ++this.#lastId;
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    if (this.#calls.size === 1) this.#worker.ref();
    this.#worker.postMessage({ id, operation, given } satisfies WorkerCall, []);
    return call.promise;
  }

  #receive(answer: WorkerAnswer): void {
    const call = this.#calls.get(answer.id);
    this.#calls.delete(answer.id);
    if (this.#calls.size === 0) this.#worker.unref();
    if ("error" in answer) call?.reject(new WeftError("unavailable", `The task store: ${answer.error}`));
    else call?.resolve(answer.result);
  }

  #end(reason: string): void {
    this.#gone ??= new WeftError("unavailable", reason);
    for (const call of this.#calls.values()) call.reject(this.#gone);
    this.#calls.clear();
  }
}
