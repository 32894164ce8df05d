/**
 * Looks messages up by id on the spans that recorded them; each span is opened once. A message that answers tool calls may stand on the
 * spans of the calls, one response on each.
 */
import { ToolMessages } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { attribute } from "../otlp/attribute.ts";
import type { RecordedMessage } from "./messages.ts";
import { parseInstructions, parseMessages, toMessage } from "./messages.ts";
import type { TextRow, TraceRef, TraceRows } from "./trace-rows.ts";

export class MessageTexts {
  private readonly rows: TraceRows;
  private readonly outputs = new Map<string, TextRow>();
  private readonly inputs = new Map<string, TextRow>();
  private readonly toolCalls = new Map<string, number[]>();
  private readonly opened = new Map<number, ReadonlyMap<string, RecordedMessage>>();

  constructor(rows: TraceRows, trace: TraceRef) {
    this.rows = rows;
    for (const row of rows.texts(trace)) (row.made ? this.outputs : this.inputs).set(row.messageId, row);
    for (const { messageId, span } of rows.toolResults(trace)) {
      const spans = this.toolCalls.get(messageId);
      if (spans === undefined) this.toolCalls.set(messageId, [span]);
      else spans.push(span);
    }
  }

  /** The record of the message as some span's output, the earliest; that span made it. */
  output(messageId: string): TextRow | undefined {
    return this.outputs.get(messageId);
  }

  /** The earliest record of the message as some span's input. */
  input(messageId: string): TextRow | undefined {
    return this.inputs.get(messageId);
  }

  /** The tool calls whose results the message says, as row ids. */
  answers(messageId: string): readonly number[] {
    return this.toolCalls.get(messageId) ?? [];
  }

  find(messageId: string): RecordedMessage | undefined {
    for (const row of [this.output(messageId), this.input(messageId)]) {
      const message = row === undefined ? undefined : this.messagesOf(row.span).get(messageId);
      if (message !== undefined) return message;
    }
    return this.fromToolCalls(messageId);
  }

  private messagesOf(span: number): ReadonlyMap<string, RecordedMessage> {
    const known = this.opened.get(span);
    if (known !== undefined) return known;
    const attributes = this.rows.span(span)?.attributes;
    const messages = [Attr.inputMessages, Attr.outputMessages].flatMap((key) =>
      parseMessages(attribute(attributes, key)),
    );
    const instructions = parseInstructions(attribute(attributes, Attr.systemInstructions));
    const byId = new Map([...instructions, ...messages].map((message) => [message.id, message]));
    this.opened.set(span, byId);
    return byId;
  }

  private fromToolCalls(messageId: string): RecordedMessage | undefined {
    const messages = new ToolMessages();
    for (const span of this.answers(messageId)) {
      const attributes = this.rows.span(span)?.attributes;
      messages.add((key) => attribute(attributes, key));
    }
    const [message] = messages.all();
    return message === undefined ? undefined : toMessage(message);
  }
}
