/**
 * The store's thread.
 *
 * Job: SQLite is synchronous, so it runs here, off the thread that serves HTTP.
 * Owns: the store, and when a transaction happens: requests that arrive in one turn of the event loop, and while the
 *   commit before was running, become one transaction (group commit).
 * Does not own: backpressure; the sender bounds what waits here.
 *
 * I1 Listeners hear of silence, too: while there are some, somebody looks every second.
 * I2 A request is answered after its commit, never before.
 * I3 Views see every request answered before they were asked for.
 * I4 `close` commits what was received before it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { WeftError } from "@weft/tracing";
import { SqliteStore } from "./sqlite-store.ts";
import type { LiveReport } from "@weft/tracing/http";
import type { AppendRequest } from "./store.ts";
import type { FromWorker, PlainError, ToWorker, ViewName, WorkerOptions } from "./worker-protocol.ts";

/** A transaction takes at most this many bytes of bodies, so that views and answers never wait for long. */
const maxBytesPerCommit = 16 * 1024 * 1024;
const lookMs = 1000;

class StoreWorker {
  private readonly store: SqliteStore;
  private waiting: { readonly id: number; readonly request: AppendRequest }[] = [];
  private reports: { readonly id: number; readonly report: LiveReport }[] = [];
  private scheduled = false;
  private watch: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    this.store = new SqliteStore(options.path, options.silenceMs);
  }

  receive(message: ToWorker): void {
    if (message.type === "append") {
      this.waiting.push(message);
      this.schedule();
    } else if (message.type === "report") {
      this.reports.push(message);
      this.schedule();
    } else if (message.type === "view") this.answer(message.id, message.name, message.args);
    else if (message.type === "listen") this.listen(message.on);
    else this.close();
  }

  private listen(on: boolean): void {
    clearInterval(this.watch);
    this.watch = on ? setInterval(() => this.look(), lookMs).unref() : undefined;
    // What is lost already is no news.
    if (on) this.store.turned();
  }

  private look(): void {
    const traces = this.store.turned();
    if (traces.length > 0) send({ type: "committed", committed: { spans: [], starts: [], traces } });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.commit();
      if (this.waiting.length > 0) this.schedule();
    });
  }

  private commit(): void {
    const batch = this.takeBatch();
    const reports = this.reports.splice(0);
    if (batch.length === 0 && reports.length === 0) return;
    const requests = batch.map(({ request }) => request);
    const { results, reported, committed } = this.store.appendAll(
      requests,
      this.watch !== undefined,
      reports.map(({ report }) => report),
    );
    // Before the answers: whoever hears that its spans are stored finds that the feed has told of them.
    if (Object.values(committed).some((news: readonly unknown[]) => news.length > 0))
      send({ type: "committed", committed });
    for (const [index, { id }] of batch.entries()) {
      const result = results[index];
      if (result instanceof WeftError) send({ type: "error", id, error: result.toJSON() });
      else send({ type: "result", id, result });
    }
    for (const [index, { id }] of reports.entries()) {
      const error = reported[index];
      if (error === undefined) send({ type: "result", id, result: undefined });
      else send({ type: "error", id, error: error.toJSON() });
    }
  }

  private takeBatch(): typeof this.waiting {
    let bytes = 0;
    let count = 0;
    while (count < this.waiting.length && (count === 0 || bytes < maxBytesPerCommit)) {
      bytes += this.waiting[count]?.request.body.byteLength ?? 0;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private answer(id: number, name: ViewName, args: readonly unknown[]): void {
    try {
      const view = this.store[name].bind(this.store) as (...args: readonly unknown[]) => unknown;
      const result = view(...args);
      send({ type: "result", id, result }, result instanceof Uint8Array ? [result.buffer] : []);
    } catch (error) {
      send({ type: "error", id, error: plain(error) });
    }
  }

  private close(): void {
    clearInterval(this.watch);
    while (this.waiting.length > 0 || this.reports.length > 0) this.commit();
    this.store.close();
    send({ type: "closed" });
    parentPort?.close();
  }
}

function plain(error: unknown): PlainError {
  return WeftError.from(error, "unavailable").toJSON();
}

function send(message: FromWorker, transfer: readonly ArrayBufferLike[] = []): void {
  parentPort?.postMessage(
    message,
    transfer.filter((buffer) => buffer instanceof ArrayBuffer),
  );
}

try {
  const worker = new StoreWorker(workerData as WorkerOptions);
  parentPort?.on("message", (message: ToWorker) => worker.receive(message));
  send({ type: "ready" });
} catch (error) {
  send({ type: "failed", error: plain(error) });
}
