/** A dropped span takes its texts with it: they count as not recorded, so that the next span that has them records them again. */
import type { Attributes } from "@opentelemetry/api";
import { DeferredJsonList } from "../content/deferred-json.ts";
import { release } from "../content/recorded-ids.ts";
import { parseToolAnswer, responseId } from "../content/tool-answer.ts";
import type { SpanRecord } from "../spans/span-record.ts";
import { Attr } from "../vocabulary.ts";
import { isEncoded } from "./encoded-span.ts";
import type { QueuedSpan } from "./encoded-span.ts";

export function undoRecorded(span: QueuedSpan): void {
  for (const id of isEncoded(span) ? span.recorded : recordedIn(span)) release(span.traceId, id);
}

/** Ids of the texts that count as recorded because `record` holds them. */
export function recordedIn({ attributes }: SpanRecord): readonly string[] {
  const input = messageIds(attributes[Attr.inputMessages]);
  const output = messageIds(attributes[Attr.outputMessages]);
  const others = otherIds(attributes);
  if (others.length > 0) return [...input, ...output, ...others];
  return input.length === 0 ? output : output.length === 0 ? input : [...input, ...output];
}

function otherIds(attributes: Attributes): readonly string[] {
  const ids: string[] = [];
  const answer = parseToolAnswer(attributes[Attr.toolAnsweredIn]);
  if (answer !== undefined) ids.push(responseId(answer.messageId, answer.place));
  for (const [text, named] of namedTexts) {
    const id = attributes[named];
    if (attributes[text] !== undefined && typeof id === "string") ids.push(id);
  }
  return ids;
}

/** A text's attribute, and the one that says its id. */
const namedTexts = [
  [Attr.systemInstructions, Attr.systemId],
  [Attr.toolDefinitions, Attr.toolsId],
] as const;

function messageIds(json: unknown): readonly string[] {
  if (json instanceof DeferredJsonList) return json.ids;
  if (typeof json !== "string") return [];
  try {
    const messages: unknown = JSON.parse(json);
    if (!Array.isArray(messages)) return [];
    return messages.flatMap((message: { readonly id?: unknown } | null) =>
      typeof message?.id === "string" ? [message.id] : [],
    );
  } catch {
    return []; // A user's own text under this key.
  }
}
