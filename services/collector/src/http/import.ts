/** `POST /api/import`: whole traces in OTLP JSON, as `GET /api/traces/{id}` gives them. */
import { WeftError } from "@weft/tracing";
import type { Store } from "../store/store.ts";
import { requireMethod, sendJson } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { readBody } from "./read-body.ts";
import type { BodyLimits, ByteBudget } from "./read-body.ts";
import { parseTraceId } from "./traces.ts";

/** What is stored already stays as it is. Spans that no store can take make it an error, which says how many; the others are stored. */
export async function importTraces(
  exchange: Exchange,
  { store, limits, budget }: { store: Store; limits: BodyLimits; budget: ByteBudget },
): Promise<void> {
  requireMethod(exchange, "POST");
  const body = await readBody(exchange.request, limits, budget);
  const traceIds = traceIdsOf(body);
  const { rejected, reason } = await store.append({ encoding: "json", body });
  if (rejected > 0)
    throw new WeftError("invalid_argument", `${rejected} spans were refused: ${reason ?? ""}`);
  sendJson(exchange, { traceIds });
}

function traceIdsOf(body: Uint8Array): readonly string[] {
  let trace: unknown;
  try {
    trace = JSON.parse(Buffer.from(body).toString("utf8")) as unknown;
  } catch {
    throw new WeftError("invalid_argument", "the body must be OTLP JSON, as GET /api/traces/{id} gives it");
  }
  const spans = spansOf(trace);
  if (spans.length === 0) throw new WeftError("invalid_argument", "the body holds no span");
  return [...new Set(spans.map(({ traceId }) => parseTraceId(String(traceId))))];
}

function spansOf(trace: unknown): readonly { readonly traceId?: unknown }[] {
  const groups = records(trace, "resourceSpans");
  const scopes = groups.flatMap((group) => records(group, "scopeSpans"));
  return scopes.flatMap((scope) => records(scope, "spans"));
}

function records(holder: unknown, key: string): readonly Readonly<Record<string, unknown>>[] {
  const value =
    typeof holder === "object" && holder !== null ? (Reflect.get(holder, key) as unknown) : undefined;
  return Array.isArray(value) ? value.filter((item) => typeof item === "object" && item !== null) : [];
}
