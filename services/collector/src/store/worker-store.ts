/**
 * The store as the collector sees it: `Store` over a worker thread.
 *
 * Owns: the thread, the calls under way, and the bytes that wait for a commit.
 *
 * I1 At most `queueBytes` of request bodies wait; one more is refused, not buffered. A single body is always taken
 *    when nothing waits.
 * I2 Every call settles: with its answer, or with an error when the thread is gone.
 */
import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import { errorCodes, WeftError } from "@weft/tracing";
import type {
  InstanceList,
  LiveReport,
  ServiceList,
  SpanDetails,
  TraceHealth,
  TraceList,
  TraceSummary,
  Transcript,
} from "@weft/tracing/http";
import type { AppendRequest, AppendResult, Committed, ListQuery, Store } from "./store.ts";
import type { FromWorker, PlainError, ToWorker, ViewName } from "./worker-protocol.ts";

export interface WorkerStoreOptions {
  /** The SQLite file; undefined: in memory. */
  readonly path?: string;
  /** Default 256 MiB. */
  readonly queueBytes?: number;
  /** After so long without a word a process is lost. Default 15,000. */
  readonly silenceMs?: number;
}

interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: WeftError) => void;
}

/** @throws WeftError when the file cannot be opened or is in use */
export async function openWorkerStore(options: WorkerStoreOptions = {}): Promise<Store> {
  // Beside this file, from source as well as from `dist`.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
    workerData: { path: options.path, silenceMs: options.silenceMs },
  });
  const store = new WorkerStore(worker, options.queueBytes ?? 256 * 1024 * 1024);
  try {
    await store.ready;
    return store;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

class WorkerStore implements Store {
  readonly ready: Promise<void>;
  readonly epoch = randomUUID();
  private readonly worker: Worker;
  private readonly queueBytes: number;
  private readonly calls = new Map<number, Call>();
  private readonly opening = Promise.withResolvers<void>();
  private readonly closing = Promise.withResolvers<void>();
  private listener: ((committed: Committed) => void) | undefined;
  private waitingBytes = 0;
  private lastId = 0;
  private gone: WeftError | undefined;

  constructor(worker: Worker, queueBytes: number) {
    this.worker = worker;
    this.queueBytes = queueBytes;
    this.ready = this.opening.promise;
    worker.on("message", (message: FromWorker) => this.receive(message));
    worker.on("error", (error) => this.end(`the trace store failed: ${error.message}`));
    worker.on("exit", () => this.end("the trace store is closed"));
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    const size = request.body.byteLength;
    if (this.waitingBytes > 0 && this.waitingBytes + size > this.queueBytes) {
      throw new WeftError("limit_exceeded", "too many spans wait to be stored; send them again later", {
        retryable: true,
      });
    }
    this.waitingBytes += size;
    try {
      return await this.call<AppendResult>(
        (id) => ({ type: "append", id, request }),
        transferable(request.body),
      );
    } finally {
      this.waitingBytes -= size;
    }
  }

  async report(report: LiveReport): Promise<void> {
    await this.call((id) => ({ type: "report", id, report }), []);
  }

  instances(): Promise<InstanceList> {
    return this.view("instances");
  }

  listSummaries(query: ListQuery): Promise<TraceList> {
    return this.view("listSummaries", query);
  }

  summary(traceId: string): Promise<TraceSummary | undefined> {
    return this.view("summary", traceId);
  }

  getTrace(traceId: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.view("getTrace", traceId);
  }

  getSkeleton(traceId: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.view("getSkeleton", traceId);
  }

  getSpans(traceId: string, spanIds: readonly string[]): Promise<SpanDetails | undefined> {
    return this.view("getSpans", traceId, spanIds);
  }

  transcript(traceId: string): Promise<Transcript | undefined> {
    return this.view("transcript", traceId);
  }

  health(traceId: string): Promise<TraceHealth | undefined> {
    return this.view("health", traceId);
  }

  services(): Promise<ServiceList> {
    return this.view("services");
  }

  deleteTraces(traceIds: readonly string[]): Promise<number> {
    return this.view("deleteTraces", traceIds);
  }

  listen(listener: ((committed: Committed) => void) | undefined): void {
    this.listener = listener;
    if (this.gone === undefined) this.post({ type: "listen", on: listener !== undefined });
  }

  async close(): Promise<void> {
    if (this.gone === undefined) this.post({ type: "close" });
    await this.closing.promise;
  }

  private view<T>(name: ViewName, ...args: readonly unknown[]): Promise<T> {
    return this.call<T>((id) => ({ type: "view", id, name, args }), []);
  }

  private call<T>(message: (id: number) => ToWorker, transfer: readonly ArrayBuffer[]): Promise<T> {
    if (this.gone !== undefined) return Promise.reject(this.gone);
    const id = (this.lastId += 1);
    return new Promise<T>((resolve, reject) => {
      this.calls.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.post(message(id), transfer);
    });
  }

  private post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  private receive(message: FromWorker): void {
    if (message.type === "result") this.take(message.id)?.resolve(message.result);
    else if (message.type === "error") this.take(message.id)?.reject(revive(message.error));
    else if (message.type === "committed") this.listener?.(message.committed);
    else if (message.type === "ready") this.opening.resolve();
    else if (message.type === "failed") this.opening.reject(revive(message.error));
  }

  private take(id: number): Call | undefined {
    const call = this.calls.get(id);
    this.calls.delete(id);
    return call;
  }

  private end(reason: string): void {
    this.gone ??= new WeftError("unavailable", reason);
    for (const call of this.calls.values()) call.reject(this.gone);
    this.calls.clear();
    this.opening.reject(this.gone);
    this.closing.resolve();
  }
}

/** Memory that is the body's alone moves to the thread; a body that shares its memory with others is copied. */
function transferable(body: Uint8Array<ArrayBuffer>): readonly ArrayBuffer[] {
  return body.byteLength === body.buffer.byteLength ? [body.buffer] : [];
}

function revive(error: PlainError): WeftError {
  return new WeftError(Object.hasOwn(errorCodes, error.code) ? error.code : "internal", error.message);
}
