/** Texts that a span names instead of repeating them: they stand in a message that the trace has. */
import type { SpanDetails } from "@weft/tracing/http";
import { Attr } from "@weft/tracing/vocabulary";
import { messagesOfContext } from "./message.ts";
import { textAt } from "./otlp-value.ts";
import type { Attributes } from "./otlp-value.ts";

/** The attributes with those texts, as if the span said them itself. */
export function withNamedTexts(attributes: Attributes, messages: SpanDetails["messages"]): Attributes {
  const message = (key: string) => messagesOfContext([textAt(attributes, key)], messages)[0];
  const callId = textAt(attributes, Attr.toolCallId);
  const call = message(Attr.toolAskedIn)?.toolCalls.find(({ id }) => id === callId);
  const summary = message(Attr.chatSummaryOf);
  return new Map([
    ...(call === undefined ? [] : [[Attr.toolCallArguments, call.arguments] as const]),
    ...(summary === undefined || summary.missing ? [] : [[Attr.chatSummary, summary.text] as const]),
    ...attributes,
  ]);
}
