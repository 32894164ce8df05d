/** A dropped span takes its texts with it: they count as not recorded, so that the next span that has them records them again. */
import { DeferredJsonList } from "../content/deferred-json.ts";
import { release } from "../content/recorded-ids.ts";
import { parseToolAnswer, responseId } from "../content/tool-answer.ts";
import type { SpanRecord } from "../spans/span-record.ts";
import { Attr } from "../vocabulary.ts";

export function undoRecorded(record: SpanRecord): void {
  const { traceId, attributes } = record;
  for (const key of [Attr.inputMessages, Attr.outputMessages]) {
    for (const id of messageIds(attributes[key])) release(traceId, id);
  }
  const answer = parseToolAnswer(attributes[Attr.toolAnsweredIn]);
  if (answer !== undefined) release(traceId, responseId(answer.messageId, answer.place));
  if (attributes[Attr.systemInstructions] !== undefined) releaseId(traceId, attributes[Attr.systemId]);
  if (attributes[Attr.toolDefinitions] !== undefined) releaseId(traceId, attributes[Attr.toolsId]);
}

function releaseId(traceId: string, id: unknown): void {
  if (typeof id === "string") release(traceId, id);
}

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
