import { setTimeout as delay } from "node:timers/promises";

import { WeftError } from "@weft/tracing";
import type { OtlpTraces, TraceHealth, TraceSummary, Transcript } from "@weft/tracing/http";
import { Attr, Operations } from "@weft/tracing/vocabulary";

/** What a run of the demo was, each figure read back from the collector. */
export interface DemoReport {
  /** The number, when the question was a sum that has one; else what the writer said. */
  readonly answer: number | string;
  readonly traceId: string;
  readonly services: readonly string[];
  readonly bindings: readonly string[];
  readonly toolCalls: number;
  readonly spans: number;
  readonly roots: number;
  readonly orphans: number;
  readonly turns: number;
  readonly viewer: string;
}

/** How long after the chat its last spans may take to arrive. */
const arrivalTimeoutMs = 15_000;
const pollMs = 50;

/** Reads a trace back once every process has delivered its part. Throws `deadline_exceeded` when one does not. */
export async function readReport(
  collector: string,
  traceId: string,
  signal: AbortSignal,
): Promise<DemoReport> {
  const health = await untilComplete(collector, traceId, signal);
  const read = <T>(path: string) => readJson<T>(collector, path, signal);
  const [trace, transcript, summary] = await Promise.all([
    read<OtlpTraces>(`/api/traces/${traceId}`),
    read<Transcript>(`/api/traces/${traceId}/transcript`),
    findSummary(collector, traceId, signal),
  ]);
  const spans = spansOf(trace);
  const bindings = new Set(spans.map((span) => span[Attr.a2aBinding]).filter((value) => value !== undefined));
  return {
    answer: answerOf(transcript),
    traceId,
    services: summary.services,
    bindings: [...bindings].toSorted(),
    toolCalls: spans.filter((span) => span[Attr.operationName] === Operations.executeTool).length,
    spans: spans.length,
    roots: health.roots,
    orphans: health.orphans,
    turns: summary.turns,
    viewer: `${collector}/traces/${traceId}`,
  };
}

async function untilComplete(collector: string, traceId: string, signal: AbortSignal): Promise<TraceHealth> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(arrivalTimeoutMs)]);
  let last = "nothing of it has arrived";
  while (!deadline.aborted) {
    const response = await fetch(`${collector}/api/traces/${traceId}/health`, { signal: deadline }).catch(
      () => undefined,
    );
    if (response?.ok) {
      const health = (await response.json()) as TraceHealth;
      if (health.ok) return health;
      last = `${health.roots} roots, ${health.orphans} orphans, ${health.brokenHops.length} broken hops`;
    } else await response?.body?.cancel();
    await delay(pollMs, undefined, { signal: deadline }).catch(() => {});
  }
  throw new WeftError(
    "deadline_exceeded",
    `Trace ${traceId} is not whole in the collector at ${collector}: ${last}.`,
  );
}

async function findSummary(collector: string, traceId: string, signal: AbortSignal): Promise<TraceSummary> {
  const { traces } = await readJson<{ traces: readonly TraceSummary[] }>(
    collector,
    "/api/traces?pageSize=100",
    signal,
  );
  const summary = traces.find((row) => row.traceId === traceId);
  if (summary === undefined)
    throw new WeftError("not_found", `Trace ${traceId} is not in the list of ${collector}.`);
  return summary;
}

async function readJson<T>(collector: string, path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(`${collector}${path}`, { signal });
  if (response.ok) return (await response.json()) as T;
  throw new WeftError(
    "unavailable",
    `${collector}${path} answered ${response.status}: ${await response.text()}`,
  );
}

function spansOf({ resourceSpans }: OtlpTraces): readonly Record<string, string | undefined>[] {
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes = [] }) =>
        Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue])),
      ),
    ),
  );
}

function answerOf({ messages }: Transcript): number | string {
  const text = messages.findLast((message) => message.from === "writer")?.text ?? "";
  const number = /answer is:? \**(-?[\d,]*\.?\d+(?:e[+-]?\d+)?)/i.exec(text)?.[1];
  return number === undefined ? text : Number(number.replaceAll(",", ""));
}
