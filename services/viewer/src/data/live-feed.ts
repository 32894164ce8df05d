/**
 * Job: tells what arrives at the collector, as it arrives.
 * Owns: the connection to `GET /api/live`, its retries, and the beat of polling while there is none.
 * Does not own: what is shown; listeners ask the collector for what they need.
 *
 * I1: one connection at a time; none after `signal` aborts.
 * I2: while not connected, `onPoll` is called every `pollMs`, so that a page behind a proxy that breaks streams still grows.
 * I3: after a connection opens `onPoll` is called once: what came while there was none is not missed.
 */
import type { LiveSpan, TraceSummary } from "@weft/tracing/http";
import type { ApiClient } from "./api-client.ts";
import { readServerSentEvents } from "./server-sent-events.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";

export type LiveState = "connecting" | "live" | "polling";

export type LiveEvent =
  | { readonly type: "trace"; readonly trace: TraceSummary }
  | { readonly type: "span-end"; readonly span: LiveSpan };

export interface LiveFeedOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: LiveEvent) => void;
  readonly onState: (state: LiveState) => void;
  readonly onPoll: () => void;
  /** Between polls and tries to connect, in milliseconds. Default 5,000. */
  readonly pollMs?: number;
}

/** Resolves when `signal` aborts; never rejects. */
export async function followLive(client: Pick<ApiClient, "live">, options: LiveFeedOptions): Promise<void> {
  const { signal, onState, onPoll, pollMs = 5000 } = options;
  onState("connecting");
  while (!signal.aborted) {
    const answer = await client.live(signal);
    if (answer.ok && answer.value.body !== null) {
      onState("live");
      onPoll();
      await readAll(answer.value.body, options);
    }
    if (signal.aborted) return;
    onState("polling");
    await pause(pollMs, signal);
    if (!signal.aborted) onPoll();
  }
}

async function readAll(
  body: ReadableStream<Uint8Array>,
  { signal, onEvent }: LiveFeedOptions,
): Promise<void> {
  try {
    for await (const event of readServerSentEvents(body)) {
      if (signal.aborted) return;
      const parsed = parseEvent(event);
      if (parsed !== undefined) onEvent(parsed);
    }
  } catch {
    // The connection broke; the loop above polls and tries again.
  }
}

function parseEvent({ event, data }: ServerSentEvent): LiveEvent | undefined {
  try {
    const value: unknown = JSON.parse(data);
    if (event === "trace") return { type: "trace", trace: value as TraceSummary };
    return event === "span-end" ? { type: "span-end", span: value as LiveSpan } : undefined;
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
