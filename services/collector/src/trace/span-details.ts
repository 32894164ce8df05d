/** Whole spans on demand, with the messages that they name: what models were sent, and where a text stands that they lack. */
import type { OtlpSpan, SpanDetail, SpanDetails } from "@weft/tracing/http";
import { decodeResource, decodeScope, decodeSpan, Histories } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { attribute, texts } from "../otlp/attribute.ts";
import { MessageTexts } from "./message-texts.ts";
import type { TraceRef, TraceRows } from "./trace-rows.ts";

export function spanDetails(rows: TraceRows, trace: TraceRef, spanIds: readonly string[]): SpanDetails {
  const details = spanIds.flatMap((spanId) => detail(rows, trace, spanId));
  const spans = details.some(({ context }) => context !== undefined)
    ? withContexts(details, rows, trace)
    : details;
  const named = new Set(spans.flatMap(({ span, context = [] }) => [...context, ...namedBy(span)]));
  if (named.size === 0) return { spans, messages: {} };
  const recorded = new MessageTexts(rows, trace);
  const messages: [string, unknown][] = [];
  for (const id of named) {
    const message = recorded.find(id);
    if (message !== undefined) messages.push([id, message.source]);
  }
  return { spans, messages: Object.fromEntries(messages) };
}

/** Places that nothing in the trace fills are left out. */
function withContexts(
  details: readonly SpanDetail[],
  rows: TraceRows,
  trace: TraceRef,
): readonly SpanDetail[] {
  const histories = new Histories<number>();
  for (const { entry, span } of rows.appends(trace)) histories.add(entry, span);
  const idsOf = (entry: string): readonly string[] =>
    Array.from(histories.named(entry), ({ messageId }) => messageId).filter((id) => id !== undefined);
  return details.map((each) =>
    each.context === undefined ? each : { ...each, context: each.context.flatMap(idsOf) },
  );
}

/** Messages that hold a text of this span's. */
function namedBy({ attributes }: OtlpSpan): readonly string[] {
  return [Attr.toolAskedIn, Attr.chatSummaryOf].flatMap((key) => texts(attribute(attributes, key)));
}

function detail(rows: TraceRows, trace: TraceRef, spanId: string): SpanDetail[] {
  const id = rows.rowId(trace, spanId);
  const row = id === undefined ? undefined : rows.body(id);
  if (row === undefined) return [];
  const group = rows.group(row.group);
  const span = decodeSpan(row.body);
  const context = attribute(span.attributes, Attr.context);
  return [
    {
      span,
      service: group.service,
      resource: decodeResource(group.resource),
      scope: decodeScope(group.scope),
      ...(context === undefined ? {} : { context: texts(context) }),
    },
  ];
}
