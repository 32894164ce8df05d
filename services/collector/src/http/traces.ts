/** `/api/traces…` and `/api/services`: what is stored, read. */
import { WeftError } from "@weft/tracing";
import type { Store } from "../store/store.ts";
import { requireMethod, sendBytes, sendJson } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { parseFilter } from "./trace-filter.ts";

const maxSpanIds = 1_000;
const maxTraceIds = 1_000;

export async function traceList(exchange: Exchange, store: Store): Promise<void> {
  requireMethod(exchange, "GET", "DELETE");
  if (exchange.method === "DELETE") return await deleteTraces(exchange, store);
  const { query } = exchange;
  if (query.get("orderBy"))
    throw new WeftError("invalid_argument", "orderBy is not understood by this version: newest first");
  const filter = query.get("filter");
  const pageToken = query.get("pageToken");
  const list = await store.listSummaries({
    pageSize: parsePageSize(query.get("pageSize")),
    ...(pageToken ? { pageToken } : {}),
    ...(filter ? { filter: parseFilter(filter) } : {}),
  });
  sendJson(exchange, list);
}

async function deleteTraces(exchange: Exchange, store: Store): Promise<void> {
  if (exchange.query.has("filter")) {
    throw new WeftError("invalid_argument", "this version deletes by ids: DELETE /api/traces?ids=<id>,<id>");
  }
  const ids = idList(exchange.query.get("ids"), maxTraceIds, parseTraceId);
  sendJson(exchange, { deleted: await store.deleteTraces(ids) });
}

/** `/api/traces/{id}` and what is below it. */
export async function oneTrace(exchange: Exchange, store: Store, id: string, view: string): Promise<void> {
  const traceId = parseTraceId(id);
  requireMethod(exchange, ...(view === "" ? ["GET", "DELETE"] : ["GET"]));
  if (exchange.method === "DELETE") {
    const deleted = await store.deleteTraces([traceId]);
    if (deleted === 0) throw unknownTrace(traceId);
    return sendJson(exchange, { deleted });
  }
  if (view === "")
    return sendBytes(exchange, 200, "application/json", found(await store.getTrace(traceId), traceId));
  if (view === "skeleton") {
    return sendBytes(
      exchange,
      200,
      "application/octet-stream",
      found(await store.getSkeleton(traceId), traceId),
    );
  }
  if (view === "spans") {
    const ids = idList(exchange.query.get("ids"), maxSpanIds, parseSpanId);
    return sendJson(exchange, found(await store.getSpans(traceId, ids), traceId));
  }
  if (view === "transcript") return sendJson(exchange, found(await store.transcript(traceId), traceId));
  if (view === "health") return sendJson(exchange, found(await store.health(traceId), traceId));
  if (view === "summary") return sendJson(exchange, found(await store.summary(traceId), traceId));
  throw new WeftError("not_found", `a trace has no /${view}`);
}

function found<T>(value: T | undefined, traceId: string): T {
  if (value === undefined) throw unknownTrace(traceId);
  return value;
}

function unknownTrace(traceId: string): WeftError {
  return new WeftError("not_found", `no trace ${traceId} is stored`);
}

function parsePageSize(text: string | null): number {
  if (text === null || text === "") return 50;
  const size = Number(text);
  if (Number.isInteger(size) && size >= 1 && size <= 1000) return size;
  throw new WeftError("invalid_argument", "pageSize must be a whole number from 1 to 1000");
}

export function parseTraceId(text: string): string {
  const id = text.toLowerCase();
  if (/^[0-9a-f]{32}$/.test(id)) return id;
  throw new WeftError("invalid_argument", "a trace id has 32 hex digits");
}

function parseSpanId(text: string): string {
  const id = text.toLowerCase();
  if (/^[0-9a-f]{16}$/.test(id)) return id;
  throw new WeftError("invalid_argument", "a span id has 16 hex digits");
}

function idList(text: string | null, max: number, parse: (id: string) => string): readonly string[] {
  const ids = (text ?? "").split(",").filter((id) => id !== "");
  if (ids.length === 0) throw new WeftError("invalid_argument", "name what is meant: ?ids=<id>,<id>");
  if (ids.length > max) throw new WeftError("invalid_argument", `at most ${String(max)} ids a request`);
  return [...new Set(ids.map(parse))];
}
