import type { OtlpAnyValue, OtlpKeyValue, OtlpSpan, OtlpTraces } from "../http.ts";
import { Attr } from "../vocabulary.ts";
import { ToolMessages } from "./tool-messages.ts";

/** A span with what its resource says. */
export interface TraceSpan {
  readonly span: OtlpSpan;
  readonly service: string;
  /** `none`, `delta`, `full`; "" where the service does not say. */
  readonly policy: string;
}

export type Recorded = Readonly<Record<string, unknown>>;

/** All spans, by their start. */
export function spansOf(trace: OtlpTraces): readonly TraceSpan[] {
  const spans = trace.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = textOf(resource?.attributes, Attr.serviceName) ?? "";
    const policy = textOf(resource?.attributes, Attr.contentPolicy) ?? "";
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ span, service, policy })));
  });
  return spans.sort((a, b) => compare(BigInt(a.span.startTimeUnixNano), BigInt(b.span.startTimeUnixNano)));
}

export function textOf(attributes: readonly OtlpKeyValue[] | undefined, key: string): string | undefined {
  return valueOf(attributes, key)?.stringValue;
}

export function listOf(attributes: readonly OtlpKeyValue[] | undefined, key: string): readonly string[] {
  const values = valueOf(attributes, key)?.arrayValue?.values ?? [];
  return values.flatMap(({ stringValue }) => (stringValue === undefined ? [] : [stringValue]));
}

export function numberOf(attributes: readonly OtlpKeyValue[] | undefined, key: string): number {
  const value = valueOf(attributes, key);
  return Number(value?.intValue ?? value?.doubleValue ?? 0);
}

function plainOf(attributes: readonly OtlpKeyValue[] | undefined, key: string): unknown {
  const value = valueOf(attributes, key);
  return value?.stringValue ?? value?.intValue;
}

function valueOf(attributes: readonly OtlpKeyValue[] | undefined, key: string): OtlpAnyValue | undefined {
  return attributes?.find((pair) => pair.key === key)?.value;
}

/** The JSON items that an attribute holds; none when it is no JSON list. */
export function itemsOf(span: OtlpSpan, key: string): readonly Recorded[] {
  const text = textOf(span.attributes, key);
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.filter(isRecord) : [];
  } catch {
    return [];
  }
}

const messageKeys = [Attr.outputMessages, Attr.inputMessages, Attr.systemInstructions] as const;

/** Every recorded text of the trace by its id, tool definitions by the id of their set, tool messages from their calls. Of two records the less cut one counts. */
export function textsOf(spans: readonly TraceSpan[]): ReadonlyMap<string, Recorded> {
  const texts = new Map<string, Recorded>();
  const keep = (id: unknown, recorded: Recorded): void => {
    if (typeof id !== "string") return;
    const known = texts.get(id);
    if (known === undefined || cutOf(known) > cutOf(recorded)) texts.set(id, recorded);
  };
  const toolMessages = new ToolMessages();
  for (const { span } of spans) {
    toolMessages.add((key) => plainOf(span.attributes, key));
    for (const key of messageKeys) for (const item of itemsOf(span, key)) keep(item["id"], item);
    const definitions = itemsOf(span, Attr.toolDefinitions);
    if (definitions.length > 0) keep(textOf(span.attributes, Attr.toolsId), { definitions });
  }
  for (const message of toolMessages.all()) keep(message.id, message);
  return texts;
}

export function cutOf(recorded: Recorded): number {
  return Number(recorded[Attr.contentCutBytes] ?? 0);
}

function isRecord(value: unknown): value is Recorded {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
