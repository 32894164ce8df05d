/**
 * The talk of a whole trace: every message a span appended to a history, once, in the order it was said.
 *
 * Each message has one id wherever it goes, so the transcript is the ids that spans appended (mirrored runs copy what
 * stands elsewhere, so they add nothing), with texts looked up by id. A trace whose spans append nothing comes from
 * another producer: then it is what its model calls and agents put out.
 */
import type { Transcript, TranscriptMessage } from "@weft/tracing/http";
import { parseAppend } from "@weft/tracing/internal";
import { Attr, SpanTypes } from "@weft/tracing/vocabulary";
import { attribute } from "../otlp/attribute.ts";
import { isoTime } from "../store/trace-account.ts";
import { MessageTexts } from "./message-texts.ts";
import type { RecordedMessage } from "./messages.ts";
import { parseMessages } from "./messages.ts";
import { orderMessages } from "./message-order.ts";
import type { Place, SaidMessage } from "./message-order.ts";
import type { TextRow, TraceRef, TraceRows, TreeRow } from "./trace-rows.ts";

export function transcriptOf(rows: TraceRows, trace: TraceRef): Transcript {
  const spans = new Map(rows.tree(trace).map((span) => [span.id, span]));
  const texts = new MessageTexts(rows, trace);
  const said = collectAppends(rows, trace, spans, texts);
  if (said.length === 0) return { messages: foreignMessages(rows, trace, spans) };
  const messages = orderMessages(said).map(({ messageId, span, time }) => {
    const message = texts.find(messageId);
    return toTranscript(messageId, message, spans.get(span), trace, time);
  });
  return { messages };
}

/** Every appended message once, with all places it was appended at. */
function collectAppends(
  rows: TraceRows,
  trace: TraceRef,
  spans: ReadonlyMap<number, TreeRow>,
  texts: MessageTexts,
): readonly SaidMessage[] {
  const said = new Map<string, { span: number; time: number; position: number; places: Place[] }>();
  for (const { span, position, entry } of rows.appends(trace)) {
    const append = parseAppend(entry);
    const row = spans.get(span);
    if (append === undefined || row === undefined) continue;
    const { history, place, messageId } = append;
    const known = said.get(messageId);
    const time = appendTime(row, place);
    if (known === undefined) said.set(messageId, { span, time, position, places: [{ history, place }] });
    else {
      known.places.push({ history, place });
      if (time < known.time) Object.assign(known, { span, time, position });
    }
  }
  return [...said].map(([messageId, entry]) => {
    const { span, time } = maker(messageId, entry, trace, spans, texts);
    return { messageId, span, time, position: entry.position, places: entry.places };
  });
}

/**
 * When a span that says only places said them: what opens a history stands at the span's start, a turn's reply at its
 * end. Nanoseconds after the trace's start.
 */
function appendTime(span: TreeRow, place: number): number {
  const isTurn = span.type === SpanTypes.agent || span.type === SpanTypes.workflow;
  return isTurn && place > 0 ? span.offset + span.duration : span.offset;
}

/**
 * The span that made a message and when: the one that first recorded it as its output, at its end. A message nobody
 * put out (a question from outside, a tool's answer) is its first appender's, as old as its first record, or as the end of the
 * last of the calls that it answers.
 */
function maker(
  messageId: string,
  appended: { readonly span: number; readonly time: number },
  trace: TraceRef,
  spans: ReadonlyMap<number, TreeRow>,
  texts: MessageTexts,
): { readonly span: number; readonly time: number } {
  const output = texts.output(messageId);
  const input = texts.input(messageId);
  if (output === undefined && input === undefined)
    return { ...appended, time: answerTime(messageId, appended.time, spans, texts) };
  const made = output === undefined ? Infinity : madeTime(output, trace, spans.get(output.span));
  const received = input === undefined ? Infinity : Number(input.time - trace.start);
  // A clock of another service that runs ahead must not move a message behind its own reading.
  const time = Math.min(made, received);
  return { span: output === undefined ? appended.span : output.span, time };
}

function answerTime(
  messageId: string,
  appended: number,
  spans: ReadonlyMap<number, TreeRow>,
  texts: MessageTexts,
): number {
  const calls = texts.answers(messageId).flatMap((id) => spans.get(id) ?? []);
  return calls.length === 0 ? appended : Math.max(...calls.map(({ offset, duration }) => offset + duration));
}

/** What a conversation itself puts out opens it. */
function madeTime(output: TextRow, trace: TraceRef, span: TreeRow | undefined): number {
  return span?.type === SpanTypes.conversation ? span.offset : Number(output.time - trace.start);
}

function toTranscript(
  messageId: string,
  message: RecordedMessage | undefined,
  span: TreeRow | undefined,
  trace: TraceRef,
  time: number,
): TranscriptMessage {
  const role = message?.role ?? "";
  return {
    id: messageId,
    role,
    from: speaker(message, span),
    service: span?.service ?? "",
    spanId: span?.spanId ?? "",
    time: isoTime(trace.start + BigInt(Math.round(time))),
    text: message?.text ?? "",
    ...(message === undefined ? { missing: true } : {}),
    ...(message === undefined || message.toolCalls.length === 0 ? {} : { toolCalls: message.toolCalls }),
    ...(message === undefined || message.toolResponses.length === 0
      ? {}
      : { toolResponses: message.toolResponses }),
  };
}

/** The message's own name; else the agent whose span made it, unless it is a question from outside. */
function speaker(message: RecordedMessage | undefined, span: TreeRow | undefined): string {
  if (message !== undefined && message.name !== "") return message.name;
  if (message?.role === "user" || message?.role === "system") return message.role;
  return span?.agent ?? "";
}

/** What the model calls of a foreign trace answered; its agents' outputs only where there are no model calls. */
function foreignMessages(
  rows: TraceRows,
  trace: TraceRef,
  spans: ReadonlyMap<number, TreeRow>,
): readonly TranscriptMessage[] {
  const all = [...spans.values()];
  const models = all.filter((span) => span.type === SpanTypes.llm);
  const chosen = models.length > 0 ? models : all.filter((span) => span.type === SpanTypes.agent);
  const ended = chosen.toSorted((a, b) => a.offset + a.duration - (b.offset + b.duration));
  return ended.flatMap((span) => {
    const attributes = rows.span(span.id)?.attributes;
    const messages = parseMessages(attribute(attributes, Attr.outputMessages));
    return messages.map((message) =>
      toTranscript(message.id, message, span, trace, span.offset + span.duration),
    );
  });
}
