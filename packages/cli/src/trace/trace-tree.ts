/** An OTLP trace as a tree: children under parents, all by start time. */
import type { OtlpAnyValue, OtlpKeyValue, OtlpSpan, OtlpTraces } from "@weft/tracing/http";
import { Attr } from "@weft/tracing/vocabulary";

export interface TraceNode {
  readonly span: OtlpSpan;
  readonly service: string;
  readonly children: readonly TraceNode[];
  /** Its parent is named but not there. */
  readonly orphan: boolean;
  text(key: string): string;
  number(key: string): number | undefined;
  texts(key: string): readonly string[];
}

/** The roots, then orphans as roots of their own, by start time. Every span appears once. */
export function buildTraceTree(trace: OtlpTraces): readonly TraceNode[] {
  const entries = trace.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = scalar(find(resource?.attributes, Attr.serviceName));
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ span, service: String(service ?? "") })));
  });
  entries.sort((a, b) => compareTimes(a.span.startTimeUnixNano, b.span.startTimeUnixNano));
  const nodes = new Map(entries.map(({ span, service }) => [span.spanId, new Node(span, service)]));
  const tops: Node[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parentSpanId ?? "");
    if (parent !== undefined) parent.children.push(node);
    else tops.push(node);
    node.orphan = parent === undefined && (node.span.parentSpanId ?? "") !== "";
  }
  return [...tops, ...openCircles(tops, nodes)];
}

/** Spans that no top reaches name each other as parents: the earliest of each circle becomes a top. */
function openCircles(tops: readonly Node[], nodes: ReadonlyMap<string, Node>): readonly Node[] {
  const reached = new Set<Node>();
  reach(tops, reached);
  const opened: Node[] = [];
  for (const node of nodes.values()) {
    if (reached.has(node)) continue;
    node.orphan = true;
    const siblings = nodes.get(node.span.parentSpanId ?? "")?.children ?? [];
    siblings.splice(siblings.indexOf(node), 1);
    opened.push(node);
    reach([node], reached);
  }
  return opened;
}

function reach(from: readonly Node[], reached: Set<Node>): void {
  const stack = [...from];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    reached.add(node);
    stack.push(...node.children);
  }
}

class Node implements TraceNode {
  readonly span: OtlpSpan;
  readonly service: string;
  readonly children: Node[] = [];
  orphan = false;

  constructor(span: OtlpSpan, service: string) {
    this.span = span;
    this.service = service;
  }

  text(key: string): string {
    const value = scalar(find(this.span.attributes, key));
    return value === undefined ? "" : String(value);
  }

  number(key: string): number | undefined {
    const value = scalar(find(this.span.attributes, key));
    return typeof value === "number" ? value : undefined;
  }

  texts(key: string): readonly string[] {
    const values = find(this.span.attributes, key)?.arrayValue?.values ?? [];
    return values.map((value) => String(scalar(value) ?? ""));
  }
}

export function durationMs(span: OtlpSpan): number {
  const nanoseconds = BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano);
  return Math.max(0, Number(nanoseconds) / 1e6);
}

export function compareTimes(a: string, b: string): number {
  // Decimal text: of equal length it sorts like its numbers, and 64-bit numbers need no BigInt.
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

function find(attributes: readonly OtlpKeyValue[] | undefined, key: string): OtlpAnyValue | undefined {
  return attributes?.find((entry) => entry.key === key)?.value;
}

function scalar(value: OtlpAnyValue | undefined): string | number | boolean | undefined {
  if (value === undefined) return undefined;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.doubleValue === undefined ? undefined : Number(value.doubleValue);
}
