/**
 * Job: the list of traces, newest first, as far as it has been read, growing while spans end.
 * Owns: what is loaded and which page comes next. Does not own: the connection that tells of new traces (`live-feed.ts`).
 *
 * I1: a trace stands once, in the place its start time gives it, with what was told of it last.
 * I2: one page is asked for at a time; an answer that comes after `dispose` changes nothing.
 */
import type { TraceList, TraceSummary } from "@weft/tracing/http";
import type { ApiClient } from "./api-client.ts";
import type { Failure, Result } from "./result.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";

export interface TraceListState {
  readonly status: "loading" | "ready" | "failed";
  readonly traces: readonly TraceSummary[];
  readonly nextPageToken?: string;
  readonly loadingMore: boolean;
  /** Why the last question failed; traces read before stay. */
  readonly failure?: Failure;
}

export interface TraceListStore extends Store<TraceListState> {
  /** Reads the newest page again and merges it. */
  readonly refresh: () => Promise<void>;
  readonly loadMore: () => Promise<void>;
  readonly add: (trace: TraceSummary) => void;
  readonly dispose: () => void;
}

export const pageSize = 100;

export function createTraceListStore(client: Pick<ApiClient, "listTraces">): TraceListStore {
  const store = createStore<TraceListState>({ status: "loading", traces: [], loadingMore: false });
  const disposal = new AbortController();
  const load = async (pageToken: string | undefined): Promise<void> => {
    const query = pageToken === undefined ? { pageSize } : { pageSize, pageToken };
    const answer = await client.listTraces(query, disposal.signal);
    if (!disposal.signal.aborted) store.update((state) => withPage(state, answer, pageToken));
  };
  return {
    get: store.get,
    subscribe: store.subscribe,
    refresh: () => load(undefined),
    loadMore: async () => {
      const { nextPageToken, loadingMore } = store.get();
      if (nextPageToken === undefined || loadingMore) return;
      store.update((state) => ({ ...state, loadingMore: true }));
      await load(nextPageToken);
    },
    add: (trace) => store.update((state) => ({ ...state, traces: mergeTraces(state.traces, [trace]) })),
    dispose: () => disposal.abort(),
  };
}

/** What the state is after an answer; `pageToken` is the one the page was asked with. */
function withPage(
  state: TraceListState,
  answer: Result<TraceList>,
  pageToken: string | undefined,
): TraceListState {
  const { failure: _, ...rest } = state;
  const loadingMore = pageToken === undefined ? state.loadingMore : false;
  if (!answer.ok) {
    return {
      ...rest,
      loadingMore,
      status: state.status === "ready" ? "ready" : "failed",
      failure: answer.failure,
    };
  }
  const merged: TraceListState = {
    ...rest,
    loadingMore,
    status: "ready",
    traces: mergeTraces(state.traces, answer.value.traces),
  };
  // A refresh reads the first page again: what comes after the last page read stays where it was.
  if (pageToken === undefined && state.status === "ready") return merged;
  const { nextPageToken: __, ...last } = merged;
  return answer.value.nextPageToken === undefined
    ? last
    : { ...merged, nextPageToken: answer.value.nextPageToken };
}

/** Newest first; ties by id, so that the order never flickers. `added` wins over what was known. */
export function mergeTraces(
  known: readonly TraceSummary[],
  added: readonly TraceSummary[],
): readonly TraceSummary[] {
  if (added.length === 0) return known;
  const byId = new Map([...known, ...added].map((trace) => [trace.traceId, trace]));
  return [...byId.values()].sort(
    (a, b) => compare(b.startTime, a.startTime) || compare(a.traceId, b.traceId),
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
