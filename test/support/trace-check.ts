/**
 * Recomputes from `GET /api/traces/{id}` alone what a trace claims: nothing of Weft's own code takes part, so
 * a fault in Weft cannot hide itself.
 */

/** The slice of OTLP JSON that the check reads (opentelemetry-proto, trace/v1). */
interface OtlpJson {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: string | number;
    readonly boolValue?: boolean;
  };
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes?: readonly OtlpAttribute[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly OtlpAttribute[] }[];
}

export interface CheckedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  readonly service: string;
  readonly error: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface CheckedTrace {
  readonly spans: readonly CheckedSpan[];
  readonly services: readonly string[];
  readonly traceIds: readonly string[];
  readonly roots: readonly CheckedSpan[];
  readonly orphans: readonly CheckedSpan[];
  /** Server spans whose parent is not a client span. */
  readonly strayServers: readonly CheckedSpan[];
  children(span: CheckedSpan): readonly CheckedSpan[];
}

const kinds = ["internal", "internal", "server", "client", "producer", "consumer"] as const;

export function checkTrace(document: OtlpJson): CheckedTrace {
  const spans = document.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(attributesOf(resource.attributes)["service.name"]);
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => checkedSpan(span, service)));
  });
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const parentOf = (span: CheckedSpan) => byId.get(span.parentSpanId ?? "");
  return {
    spans,
    services: [...new Set(spans.map((span) => span.service))].toSorted(),
    traceIds: [...new Set(spans.map((span) => span.traceId))],
    roots: spans.filter((span) => span.parentSpanId === undefined),
    orphans: spans.filter((span) => span.parentSpanId !== undefined && parentOf(span) === undefined),
    strayServers: spans.filter((span) => span.kind === "server" && parentOf(span)?.kind !== "client"),
    children: (span) => spans.filter((child) => child.parentSpanId === span.spanId),
  };
}

/**
 * Reads a trace again and again until `complete` says it is whole: exporters send in batches, so a trace
 * arrives in pieces. Fails after `timeoutMs` with what was there.
 */
export async function waitForTrace(
  collector: string,
  traceId: string,
  complete: (trace: CheckedTrace) => boolean,
  timeoutMs = 15_000,
): Promise<CheckedTrace> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let last: CheckedTrace | undefined;
  while (!deadline.aborted) {
    const response = await fetch(`${collector}/api/traces/${traceId}`);
    if (response.ok) last = checkTrace((await response.json()) as OtlpJson);
    else await response.body?.cancel();
    if (last !== undefined && complete(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Trace ${traceId} was not complete within ${timeoutMs} ms: ${describe(last)}`);
}

function describe(trace: CheckedTrace | undefined): string {
  if (trace === undefined) return "the collector does not know it.";
  const lines = trace.spans.map((span) => `${span.service}: ${span.name} (${span.kind})`);
  return `${trace.roots.length} roots, ${trace.orphans.length} orphans\n${lines.join("\n")}`;
}

function checkedSpan(span: OtlpSpan, service: string): CheckedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId === "" ? undefined : span.parentSpanId,
    name: span.name,
    kind: kinds[span.kind] ?? "internal",
    service,
    error: span.status?.code === 2,
    attributes: attributesOf(span.attributes ?? []),
  };
}

function attributesOf(attributes: readonly OtlpAttribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.boolValue ?? value,
    ]),
  );
}
