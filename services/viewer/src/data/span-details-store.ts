/**
 * Job: whole spans on demand. Asked one by one, fetched together, kept while the trace is open, within bounds.
 *
 * I1: a span is asked for once while its answer is under way or known.
 * I2: what is asked for in one turn of the event loop goes in as few requests as `idsPerRequest` allows.
 * I3: at most `kept` spans are held; the longest unasked go first.
 */
import type { SpanDetail, SpanDetails } from "@weft/tracing/http";
import type { ApiClient } from "./api-client.ts";
import type { Failure, Result } from "./result.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";

export type DetailState =
  | { readonly status: "loading" }
  | { readonly status: "ready"; readonly detail: SpanDetail; readonly messages: SpanDetails["messages"] }
  | { readonly status: "failed"; readonly failure: Failure };

export interface SpanDetailsStore extends Store<ReadonlyMap<string, DetailState>> {
  readonly ask: (spanId: string) => void;
  /** Forgets what could have changed, as when the trace has grown. */
  readonly forget: (spanIds: readonly string[]) => void;
  readonly dispose: () => void;
}

const idsPerRequest = 50;
const kept = 500;

const absent: Failure = {
  kind: "notFound",
  message: "The collector does not know this span.",
  remedy: "Its service may not have sent it yet.",
};

export function createSpanDetailsStore(client: Pick<ApiClient, "spans">, traceId: string): SpanDetailsStore {
  const store = createStore<ReadonlyMap<string, DetailState>>(new Map());
  const disposal = new AbortController();
  let wanted: string[] = [];
  const fetchWanted = (): void => {
    const ids = wanted;
    wanted = [];
    for (let at = 0; at < ids.length; at += idsPerRequest) void fetchSome(ids.slice(at, at + idsPerRequest));
  };
  const fetchSome = async (ids: readonly string[]): Promise<void> => {
    const answer = await client.spans(traceId, ids, disposal.signal);
    if (!disposal.signal.aborted)
      store.update((known) => bounded(new Map([...known, ...toStates(ids, answer)])));
  };
  return {
    get: store.get,
    subscribe: store.subscribe,
    ask: (spanId) => {
      const state = store.get().get(spanId);
      if (state !== undefined && state.status !== "failed") return;
      if (wanted.length === 0) queueMicrotask(fetchWanted);
      wanted.push(spanId);
      store.update((known) => new Map([...known, [spanId, { status: "loading" }]]));
    },
    forget: (spanIds) => store.update((known) => new Map([...known].filter(([id]) => !spanIds.includes(id)))),
    dispose: () => disposal.abort(),
  };
}

function toStates(
  ids: readonly string[],
  answer: Result<SpanDetails>,
): readonly (readonly [string, DetailState])[] {
  if (!answer.ok) return ids.map((id) => [id, { status: "failed", failure: answer.failure }]);
  const { spans, messages } = answer.value;
  const byId = new Map(spans.map((detail) => [detail.span.spanId, detail]));
  return ids.map((id) => {
    const detail = byId.get(id);
    return [
      id,
      detail === undefined ? { status: "failed", failure: absent } : { status: "ready", detail, messages },
    ];
  });
}

function bounded(states: Map<string, DetailState>): ReadonlyMap<string, DetailState> {
  for (const id of states.keys()) {
    if (states.size <= kept) break;
    states.delete(id);
  }
  return states;
}
