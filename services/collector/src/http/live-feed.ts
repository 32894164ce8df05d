/**
 * `GET /api/live`: server-sent events as spans become durable.
 *
 * Owns: the open streams. The store reports commits only while there are any.
 *
 * Events: `trace` (a summary, once per commit that changed it, and when a process of it was lost or is heard again), `span-start` and
 * `span-end`. `?traceId=` narrows them to one
 * trace.
 *
 * I1 A reader that does not read is cut at `maxBacklogBytes`, not buffered for; EventSource reconnects by itself.
 * I2 A stream carries a comment every 15 s, so that a reader and proxies can tell it from a dead one.
 */
import type { ServerResponse } from "node:http";
import type { Committed, Store } from "../store/store.ts";
import { requireMethod } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { parseTraceId } from "./traces.ts";

const maxBacklogBytes = 4 * 1024 * 1024;
const heartbeatMs = 15_000;

interface Reader {
  readonly response: ServerResponse;
  readonly traceId: string | undefined;
}

export class LiveFeed {
  private readonly store: Store;
  private readonly readers = new Set<Reader>();
  private heartbeat: NodeJS.Timeout | undefined;

  constructor(store: Store) {
    this.store = store;
  }

  open(exchange: Exchange): void {
    requireMethod(exchange, "GET", "POST");
    const traceId = exchange.query.get("traceId");
    const { response } = exchange;
    const reader: Reader = { response, traceId: traceId ? parseTraceId(traceId) : undefined };
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    if (exchange.method === "HEAD") return void response.end();
    response.write(": open\n\n");
    this.readers.add(reader);
    response.once("close", () => this.leave(reader));
    response.on("error", () => this.leave(reader));
    if (this.readers.size === 1) this.start();
  }

  close(): void {
    for (const { response } of this.readers) response.end();
  }

  private start(): void {
    this.store.listen((committed) => this.publish(committed));
    this.heartbeat = setInterval(() => this.send(() => ": still here\n\n"), heartbeatMs);
    this.heartbeat.unref();
  }

  private leave(reader: Reader): void {
    if (!this.readers.delete(reader) || this.readers.size > 0) return;
    this.store.listen(undefined);
    clearInterval(this.heartbeat);
  }

  private publish({ spans, starts, traces }: Committed): void {
    const texts = [
      ...starts.map((span) => ({ traceId: span.traceId, text: event("span-start", span) })),
      ...spans.map((span) => ({ traceId: span.traceId, text: event("span-end", span) })),
      ...traces.map((trace) => ({ traceId: trace.traceId, text: event("trace", trace) })),
    ];
    const all = texts.map(({ text }) => text).join("");
    this.send(({ traceId }) =>
      traceId === undefined
        ? all
        : texts
            .filter((entry) => entry.traceId === traceId)
            .map(({ text }) => text)
            .join(""),
    );
  }

  private send(textFor: (reader: Reader) => string): void {
    for (const reader of this.readers) {
      const text = textFor(reader);
      if (text !== "") reader.response.write(text);
      if (reader.response.writableLength > maxBacklogBytes) reader.response.destroy();
    }
  }
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
