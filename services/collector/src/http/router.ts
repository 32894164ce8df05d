/** Every address of the collector and who answers it. */
import { WeftError } from "@weft/tracing";
import type { CollectorHealth } from "@weft/tracing/http";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";
import type { Access } from "./access.ts";
import { requireMethod, sendError, sendJson } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { importTraces } from "./import.ts";
import { ingest } from "./ingest.ts";
import { takeLiveReport } from "./live-reports.ts";
import type { LiveFeed } from "./live-feed.ts";
import { plainPage } from "./plain-pages.ts";
import type { BodyLimits, ByteBudget } from "./read-body.ts";
import { oneTrace, traceList } from "./traces.ts";
import type { ViewerFiles } from "./viewer-files.ts";

export interface RouterParts {
  readonly store: Store;
  readonly access: Access;
  readonly live: LiveFeed;
  readonly limits: BodyLimits;
  readonly budget: ByteBudget;
  readonly viewer: ViewerFiles | undefined;
}

/** Answers the exchange; never throws. */
export async function route(exchange: Exchange, parts: RouterParts): Promise<void> {
  try {
    parts.access.requireHost(exchange);
    if (exchange.path === "/healthz") return health(exchange);
    if (exchange.path === "/v1/traces") {
      return await ingest(exchange, () => parts.access.requireToken(exchange), parts);
    }
    if (exchange.path.startsWith("/api/")) return await api(exchange, parts);
    await page(exchange, parts);
  } catch (error) {
    sendError(exchange, error);
  }
}

function health(exchange: Exchange): void {
  requireMethod(exchange, "GET");
  const body: CollectorHealth = { weft: version };
  sendJson(exchange, body);
}

async function api(exchange: Exchange, parts: RouterParts): Promise<void> {
  const { access, store, live, limits, budget } = parts;
  access.requireToken(exchange);
  const { path } = exchange;
  if (path === "/api/traces") return await traceList(exchange, store);
  if (path === "/api/import") return await importTraces(exchange, parts);
  if (path === "/api/live") {
    if (exchange.method === "POST") return await takeLiveReport(exchange, store, limits, budget);
    return live.open(exchange);
  }
  if (path === "/api/instances") {
    requireMethod(exchange, "GET");
    return sendJson(exchange, await store.instances());
  }
  if (path === "/api/services") {
    requireMethod(exchange, "GET");
    return sendJson(exchange, await store.services());
  }
  const match = /^\/api\/traces\/([^/]+)(?:\/([^/]+))?$/.exec(path);
  if (match === null) throw unknownPath(exchange);
  await oneTrace(exchange, store, match[1] ?? "", match[2] ?? "");
}

async function page(exchange: Exchange, { access, store, viewer }: RouterParts): Promise<void> {
  if (exchange.method !== "GET" && exchange.method !== "HEAD") throw unknownPath(exchange);
  if (access.exchangeToken(exchange)) return;
  if (viewer !== undefined) {
    if (await viewer.serve(exchange)) return;
    throw unknownPath(exchange);
  }
  access.requireToken(exchange);
  if (!(await plainPage(exchange, store))) throw unknownPath(exchange);
}

function unknownPath({ method, path }: Exchange): WeftError {
  return new WeftError("not_found", `nothing answers ${method} ${path.slice(0, 200)}`);
}
