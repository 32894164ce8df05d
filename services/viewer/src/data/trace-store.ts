/**
 * Job: one open trace: its tree, then its summary, transcript and health, read again when the trace grows.
 * Does not own: details of spans (`span-details-store.ts`), what is folded or chosen (the page).
 *
 * I1: the tree is shown as soon as it is there; the rest comes after and fails by itself.
 * I2: reads never overlap: a change told during a read causes one read after it.
 */
import type { TraceHealth, TraceSummary, Transcript } from "@weft/tracing/http";
import type { ApiClient } from "./api-client.ts";
import type { Failure, Result } from "./result.ts";
import type { Skeleton } from "./skeleton.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";

export interface TraceState {
  readonly status: "loading" | "ready" | "failed";
  readonly skeleton?: Skeleton;
  readonly transcript?: Result<Transcript>;
  readonly health?: Result<TraceHealth>;
  readonly summary?: Result<TraceSummary>;
  readonly failure?: Failure;
}

export interface TraceStore extends Store<TraceState> {
  /** Reads everything anew. */
  readonly refresh: () => Promise<void>;
  readonly dispose: () => void;
}

export function createTraceStore(client: ApiClient, traceId: string): TraceStore {
  const store = createStore<TraceState>({ status: "loading" });
  const disposal = new AbortController();
  const { signal } = disposal;
  const write = (change: (state: TraceState) => TraceState): void => {
    if (!signal.aborted) store.update(change);
  };
  const read = async (): Promise<void> => {
    const skeleton = await client.skeleton(traceId, signal);
    write((state) => withSkeleton(state, skeleton));
    if (!skeleton.ok) return;
    await Promise.all([
      client.summary(traceId, signal).then((summary) => write((state) => ({ ...state, summary }))),
      client.transcript(traceId, signal).then((transcript) => write((state) => ({ ...state, transcript }))),
      client.health(traceId, signal).then((health) => write((state) => ({ ...state, health }))),
    ]);
  };
  let reading: Promise<void> | undefined;
  let again = false;
  const readAll = async (): Promise<void> => {
    do {
      again = false;
      await read();
    } while (again && !signal.aborted);
    reading = undefined;
  };
  return {
    get: store.get,
    subscribe: store.subscribe,
    refresh: () => {
      if (reading !== undefined) again = true;
      reading ??= readAll();
      return reading;
    },
    dispose: () => disposal.abort(),
  };
}

function withSkeleton(state: TraceState, answer: Result<Skeleton>): TraceState {
  const { failure: _, ...rest } = state;
  if (answer.ok) return { ...rest, status: "ready", skeleton: answer.value };
  // What was read before stays in sight.
  return { ...rest, status: state.skeleton === undefined ? "failed" : "ready", failure: answer.failure };
}
