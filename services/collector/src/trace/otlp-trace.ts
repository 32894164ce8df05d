/** A whole trace as OTLP JSON text: spans grouped by resource and scope, each group's spans by start time. */
import { decodeResource, decodeScope, decodeSpan } from "@weft/tracing/internal";
import type { GroupRow, TraceRef, TraceRows } from "./trace-rows.ts";

export function encodeTrace(rows: TraceRows, trace: TraceRef): Uint8Array<ArrayBuffer> {
  const spansOfGroup = new Map<number, string[]>();
  for (const { group, body } of rows.bodies(trace)) {
    const text = JSON.stringify(decodeSpan(body));
    const list = spansOfGroup.get(group);
    if (list === undefined) spansOfGroup.set(group, [text]);
    else list.push(text);
  }
  const resources = [...spansOfGroup].map(([group, spans]) => groupText(rows.group(group), spans));
  return new TextEncoder().encode(`{"resourceSpans":[${resources.join(",")}]}`);
}

function groupText(group: GroupRow, spans: readonly string[]): string {
  const resource = JSON.stringify(decodeResource(group.resource));
  const scope = JSON.stringify(decodeScope(group.scope));
  const scopeSpans = `{"scope":${scope},"spans":[${spans.join(",")}]${schema(group.scopeSchemaUrl)}}`;
  return `{"resource":${resource},"scopeSpans":[${scopeSpans}]${schema(group.resourceSchemaUrl)}}`;
}

function schema(url: string): string {
  return url === "" ? "" : `,"schemaUrl":${JSON.stringify(url)}`;
}
