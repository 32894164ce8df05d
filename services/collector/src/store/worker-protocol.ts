/** What the collector's thread and the store's thread say to each other. */
import type { WeftErrorCode } from "@weft/tracing";
import type { LiveReport } from "@weft/tracing/http";
import type { AppendRequest, Committed } from "./store.ts";

export interface WorkerOptions {
  readonly path?: string;
  readonly silenceMs?: number;
}

/** Views by the name of their `SqliteStore` method. */
export type ViewName =
  | "listSummaries"
  | "summary"
  | "getTrace"
  | "getSkeleton"
  | "getSpans"
  | "transcript"
  | "health"
  | "services"
  | "instances"
  | "deleteTraces";

export type ToWorker =
  | { readonly type: "append"; readonly id: number; readonly request: AppendRequest }
  | { readonly type: "report"; readonly id: number; readonly report: LiveReport }
  | { readonly type: "view"; readonly id: number; readonly name: ViewName; readonly args: readonly unknown[] }
  | { readonly type: "listen"; readonly on: boolean }
  | { readonly type: "close" };

export interface PlainError {
  readonly code: WeftErrorCode;
  readonly message: string;
}

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly error: PlainError }
  | { readonly type: "result"; readonly id: number; readonly result: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: PlainError }
  | { readonly type: "committed"; readonly committed: Committed }
  | { readonly type: "closed" };
