/**
 * Messages that answer tool calls, put together from the calls' spans: each result stands on its own span, which names the message and
 * the place of its response in it (`weft.tool.call.answered_in`).
 */
import { parseToolAnswer } from "../content/tool-answer.ts";
import { Attr } from "../vocabulary.ts";
import type { Recorded } from "./trace-texts.ts";

/** An attribute of a span as plain data. */
export type ReadAttribute = (key: string) => unknown;

export class ToolMessages {
  readonly #calls = new Map<string, { readonly count: number; readonly spans: Map<number, ReadAttribute> }>();

  /** Spans that are no tool calls, or hold no result, are passed over. */
  add(span: ReadAttribute): void {
    const answer = parseToolAnswer(span(Attr.toolAnsweredIn));
    if (answer === undefined || span(Attr.toolCallResult) === undefined) return;
    const { messageId, place, count } = answer;
    const calls = this.#calls.get(messageId) ?? { count, spans: new Map<number, ReadAttribute>() };
    if (!calls.spans.has(place)) calls.spans.set(place, span);
    this.#calls.set(messageId, calls);
  }

  /** Those of which every response is there, in the GenAI schema. */
  *all(): Generator<Recorded & { readonly id: string }> {
    for (const [id, { count, spans }] of this.#calls) {
      const inOrder = [...spans].sort(([a], [b]) => a - b).map(([, span]) => span);
      if (inOrder.length === count) yield toMessage(id, inOrder);
    }
  }
}

function toMessage(id: string, spans: readonly ReadAttribute[]): Recorded & { readonly id: string } {
  const sum = (key: string): number => spans.reduce((total, span) => total + Number(span(key) ?? 0), 0);
  const name = spans[0]?.(Attr.agentName);
  const cutBytes = sum(Attr.contentCutBytes);
  const redacted = sum(Attr.contentRedacted);
  return {
    id,
    role: "tool",
    ...(name === undefined ? {} : { name }),
    parts: spans.map(toPart),
    // Of the whole spans, their arguments included: never less than the responses lack.
    ...(cutBytes > 0 ? { [Attr.contentCutBytes]: cutBytes } : {}),
    ...(redacted > 0 ? { [Attr.contentRedacted]: redacted } : {}),
  };
}

function toPart(span: ReadAttribute): Recorded {
  return {
    type: "tool_call_response",
    id: span(Attr.toolCallId),
    name: span(Attr.toolName),
    response: span(Attr.toolCallResult),
  };
}
