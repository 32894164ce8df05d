/** Whole spans on demand, with the messages that their contexts name. */
import type { SpanDetail, SpanDetails } from "@weft/tracing/http";
import { Attr } from "@weft/tracing/vocabulary";
import { attribute, texts } from "../otlp/attribute.ts";
import { decodeResource, decodeScope, decodeSpan } from "../otlp/decode-span.ts";
import { Histories, parseEntry } from "./histories.ts";
import { MessageTexts } from "./message-texts.ts";
import type { TraceRef, TraceRows } from "./trace-rows.ts";

export function spanDetails(rows: TraceRows, trace: TraceRef, spanIds: readonly string[]): SpanDetails {
  const details = spanIds.flatMap((spanId) => detail(rows, trace, spanId));
  if (!details.some(({ context }) => context !== undefined)) return { spans: details, messages: {} };
  const entries = rows.appends(trace).map(({ entry }) => parseEntry(entry));
  const histories = new Histories(entries.filter((entry) => entry !== undefined));
  const spans = details.map((entry) =>
    entry.context === undefined ? entry : { ...entry, context: histories.resolve(entry.context) },
  );
  const recorded = new MessageTexts(rows, trace);
  const messages: [string, unknown][] = [];
  for (const id of new Set(spans.flatMap((span) => span.context ?? []))) {
    const message = recorded.find(id);
    if (message !== undefined) messages.push([id, message.source]);
  }
  return { spans, messages: Object.fromEntries(messages) };
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
