/** The collector's HTTP interface as the page asks it. Every answer is a `Result`; nothing here throws or rejects. */
import type {
  CollectorError,
  SpanDetails,
  TraceHealth,
  TraceList,
  TraceSummary,
  Transcript,
} from "@weft/tracing/http";
import { fail, succeed } from "./result.ts";
import type { Result } from "./result.ts";
import { decodeSkeleton } from "./skeleton.ts";
import type { Skeleton } from "./skeleton.ts";

export interface ApiClient {
  /** Newest first. `pageToken` is an earlier answer's `nextPageToken`. */
  readonly listTraces: (query: ListQuery, signal?: AbortSignal) => Promise<Result<TraceList>>;
  readonly summary: (traceId: string, signal?: AbortSignal) => Promise<Result<TraceSummary>>;
  readonly skeleton: (traceId: string, signal?: AbortSignal) => Promise<Result<Skeleton>>;
  readonly spans: (
    traceId: string,
    spanIds: readonly string[],
    signal?: AbortSignal,
  ) => Promise<Result<SpanDetails>>;
  readonly transcript: (traceId: string, signal?: AbortSignal) => Promise<Result<Transcript>>;
  readonly health: (traceId: string, signal?: AbortSignal) => Promise<Result<TraceHealth>>;
  /** The response of `GET /api/live`, its body still to be read. */
  readonly live: (signal: AbortSignal) => Promise<Result<Response>>;
}

export interface ListQuery {
  readonly pageSize: number;
  readonly pageToken?: string;
}

export interface ApiClientOptions {
  /** Where the collector is, without a slash at the end; "" is where the page came from. */
  readonly base: string;
  /** Asked at every request: it may be given while the page is open. */
  readonly token?: () => string | undefined;
  readonly fetch?: typeof fetch;
}

type Ask = (path: string, signal: AbortSignal | undefined, accept: string) => Promise<Result<Response>>;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const ask = createAsk(options);
  const json = async <T>(path: string, signal?: AbortSignal): Promise<Result<T>> => {
    const answer = await ask(path, signal, "application/json");
    return answer.ok ? readBody(async () => (await answer.value.json()) as T) : answer;
  };
  const trace = (traceId: string): string => `/api/traces/${encodeURIComponent(traceId)}`;
  return {
    listTraces: (query, signal) => json<TraceList>(`/api/traces?${toParameters(query)}`, signal),
    summary: (traceId, signal) => json<TraceSummary>(`${trace(traceId)}/summary`, signal),
    skeleton: async (traceId, signal) => {
      const answer = await ask(`${trace(traceId)}/skeleton`, signal, "application/octet-stream");
      if (!answer.ok) return answer;
      const bytes = await readBody(() => answer.value.arrayBuffer());
      return bytes.ok ? decodeSkeleton(bytes.value) : bytes;
    },
    spans: (traceId, spanIds, signal) =>
      json<SpanDetails>(`${trace(traceId)}/spans?ids=${spanIds.join(",")}`, signal),
    transcript: (traceId, signal) => json<Transcript>(`${trace(traceId)}/transcript`, signal),
    health: (traceId, signal) => json<TraceHealth>(`${trace(traceId)}/health`, signal),
    live: (signal) => ask("/api/live", signal, "text/event-stream"),
  };
}

function createAsk({ base, token, fetch: ask = fetch }: ApiClientOptions): Ask {
  return async (path, signal, accept) => {
    const bearer = token?.();
    const headers: Record<string, string> = { accept };
    if (bearer !== undefined) headers["authorization"] = `Bearer ${bearer}`;
    try {
      const response = await ask(`${base}${path}`, { headers, signal: signal ?? null });
      return response.ok ? succeed(response) : await toFailure(response);
    } catch {
      if (signal?.aborted === true) return fail("aborted", "The request was given up.", "Nothing to do.");
      return fail("unreachable", "The collector does not answer.", "Start it with: npx @weft/cli view");
    }
  };
}

async function readBody<T>(read: () => Promise<T>): Promise<Result<T>> {
  try {
    return succeed(await read());
  } catch {
    return fail(
      "malformed",
      "The collector's answer broke off or cannot be read.",
      "Reload the page; if it stays, the collector's version is not the page's.",
    );
  }
}

async function toFailure(response: Response): Promise<Result<never>> {
  const message = (await errorMessage(response)) ?? `The collector answered with status ${response.status}.`;
  if (response.status === 401 || response.status === 403) {
    return fail("unauthenticated", message, "Give the token the collector was started with.");
  }
  if (response.status === 404)
    return fail("notFound", message, "It may have been deleted, or its spans have not arrived yet.");
  return fail("refused", message, "Try again; the collector's output says more.");
}

async function errorMessage(response: Response): Promise<string | undefined> {
  try {
    return ((await response.json()) as Partial<CollectorError>).error?.message;
  } catch {
    return undefined;
  }
}

function toParameters({ pageSize, pageToken }: ListQuery): string {
  const parameters = new URLSearchParams({ pageSize: String(pageSize) });
  if (pageToken !== undefined) parameters.set("pageToken", pageToken);
  return parameters.toString();
}
