/** For who reads spans one by one: what a span names instead of repeating it, put back. */
import type { OtlpKeyValue, OtlpSpan, OtlpTraces } from "../http.ts";
import { Attr } from "../vocabulary.ts";
import { spansOf, textOf, textsOf } from "./trace-texts.ts";
import type { Recorded } from "./trace-texts.ts";

type Texts = ReadonlyMap<string, Recorded>;

/** The trace with a tool call's arguments, and a chat's summary, on their spans where a message of the trace holds them. */
export function withNamedTexts(trace: OtlpTraces): OtlpTraces {
  const texts = textsOf(spansOf(trace));
  const complete = (span: OtlpSpan): OtlpSpan => {
    const added = [...addedArguments(span, texts), ...addedSummary(span, texts)];
    return added.length === 0 ? span : { ...span, attributes: [...(span.attributes ?? []), ...added] };
  };
  return {
    resourceSpans: trace.resourceSpans.map((resource) => ({
      ...resource,
      scopeSpans: resource.scopeSpans.map((scope) => ({ ...scope, spans: scope.spans.map(complete) })),
    })),
  };
}

function addedArguments(span: OtlpSpan, texts: Texts): readonly OtlpKeyValue[] {
  const id = textOf(span.attributes, Attr.toolCallId);
  const parts = partsNamed(span, [Attr.toolCallArguments, Attr.toolAskedIn], texts);
  return parts
    .filter((part) => part["type"] === "tool_call" && part["id"] === id)
    .map((part) => ({ key: Attr.toolCallArguments, value: { stringValue: asText(part["arguments"]) } }));
}

function addedSummary(span: OtlpSpan, texts: Texts): readonly OtlpKeyValue[] {
  const parts = partsNamed(span, [Attr.chatSummary, Attr.chatSummaryOf], texts);
  const said = parts.filter((part) => part["type"] === "text").map((part) => asText(part["content"]));
  return said.length === 0 ? [] : [{ key: Attr.chatSummary, value: { stringValue: said.join("") } }];
}

/** The parts of the message that the span names for a text it does not have. */
function partsNamed(
  { attributes }: OtlpSpan,
  [key, namedBy]: readonly [string, string],
  texts: Texts,
): readonly Recorded[] {
  if (textOf(attributes, key) !== undefined) return [];
  const parts = texts.get(textOf(attributes, namedBy) ?? "")?.["parts"];
  return Array.isArray(parts) ? (parts as readonly Recorded[]) : [];
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
