/**
 * Who records what: `delta` writes a text once per trace and process, on the span that makes or first receives it;
 * `full` writes every call's messages; `none` writes no text. Ids and places are said under every policy.
 */
import type { Span } from "@opentelemetry/api";
import { DelegatingSpan } from "../spans/delegating-span.ts";
import { newShortId } from "../spans/random-ids.ts";
import { Attr } from "../vocabulary.ts";
import { boundedJson } from "./bounded-json.ts";
import type { BoundedJson } from "./bounded-json.ts";
import { contentSettings } from "./content-settings.ts";
import { toSchemaMessage } from "./message-schema.ts";
import type { RecordableMessage } from "./message-schema.ts";
import { recordText } from "./record-value.ts";
import { claim, release } from "./recorded-ids.ts";
import { redactionCount } from "./redaction.ts";
import { appendJson, appendStrings, contentRoom, countCut, countRedacted } from "./span-content.ts";
import { storeBody } from "./store-body.ts";

/** Random; never made of content. */
export function newMessageId(): string {
  return newShortId();
}

/** `gen_ai.input.messages`: what reached this span from elsewhere. */
export function recordInput(span: Span, messages: readonly RecordableMessage[]): void {
  recordMessages(span, Attr.inputMessages, messages);
}

/** `gen_ai.output.messages`: what this span made. */
export function recordOutput(span: Span, messages: readonly RecordableMessage[]): void {
  recordMessages(span, Attr.outputMessages, messages);
}

/** `gen_ai.system_instructions`. `id` names this text in `weft.context`. */
export function recordSystem(span: Span, system: { readonly id: string; readonly text: string }): void {
  const target = unwrap(span);
  target.setAttribute(Attr.systemId, system.id);
  recordItems(target, Attr.systemInstructions, system.id, [
    { type: "text", id: system.id, content: system.text },
  ]);
}

/** `gen_ai.tool.definitions`. `id` stands for the whole set. */
export function recordTools(
  span: Span,
  tools: { readonly id: string; readonly definitions: readonly unknown[] },
): void {
  const target = unwrap(span);
  target.setAttribute(Attr.toolsId, tools.id);
  recordItems(target, Attr.toolDefinitions, tools.id, tools.definitions);
}

/** `gen_ai.tool.call.arguments` and `gen_ai.tool.call.result`: a string as it is, anything else as JSON. */
export function recordToolCall(
  span: Span,
  call: { readonly arguments?: unknown; readonly result?: unknown },
): void {
  const target = unwrap(span);
  if (call.arguments !== undefined) recordText(target, Attr.toolCallArguments, call.arguments);
  if (call.result !== undefined) recordText(target, Attr.toolCallResult, call.result);
}

/**
 * `weft.context`: all that a model was sent, in order and complete in itself: runs of places
 * `"<historyId>:<from>-<to>"`, both ends included, or `"id:<messageId>"`.
 */
export function describeContext(span: Span, runs: readonly string[]): void {
  if (runs.length > 0) unwrap(span).setAttribute(Attr.context, [...runs]);
}

/**
 * `weft.history.appends`: `"<historyId>:<place>=<messageId>"`, or a mirrored run
 * `"<historyId>:<from>-<to>=<otherHistoryId>:<from>-<to>"`. Calls on one span add up.
 */
export function describeAppends(span: Span, appends: readonly string[]): void {
  const target = unwrap(span);
  if (target.isRecording()) appendStrings(target, Attr.historyAppends, appends);
}

function recordMessages(span: Span, key: string, messages: readonly RecordableMessage[]): void {
  const target = unwrap(span);
  const { policy } = contentSettings();
  if (policy === "none" || !target.isRecording()) return;
  const { traceId } = target.spanContext();
  for (const message of messages) {
    const fresh = claim(traceId, message.id);
    if (!fresh && policy === "delta") continue;
    if (!appendBounded(target, key, toSchemaMessage(message)) && fresh) release(traceId, message.id);
  }
}

function recordItems(span: Span, key: string, id: string, items: readonly unknown[]): void {
  const { policy } = contentSettings();
  if (policy === "none" || !span.isRecording()) return;
  const { traceId } = span.spanContext();
  const fresh = claim(traceId, id);
  if (!fresh && policy === "delta") return;
  for (const item of items) {
    if (!appendBounded(span, key, item) && fresh) release(traceId, id);
  }
}

/** False when there was no room at all: the item is then left out whole. */
function appendBounded(span: Span, key: string, item: unknown): boolean {
  const room = contentRoom(span, key);
  if (room < smallestItem) {
    countCut(span, 0, 1);
    return false;
  }
  const before = redactionCount();
  const json = boundedJson(item, room);
  const changed = redactionCount() - before;
  appendJson(span, key, withNotes(json, changed), json.bytes);
  countRedacted(span, changed);
  countCut(span, json.cutBytes, json.cutItems);
  if (json.cutBytes > 0 || json.cutItems > 0)
    storeBody(span, key, () => boundedJson(item, Number.POSITIVE_INFINITY).text);
  return true;
}

/** The item says itself what it lacks, so that whoever reads it alone knows. */
function withNotes(json: BoundedJson, changed: number): string {
  if (!json.text.endsWith("}")) return json.text;
  const notes = [
    ...(json.cutBytes > 0 || json.cutItems > 0 ? [`"${Attr.contentCutBytes}":${json.cutBytes}`] : []),
    ...(changed > 0 ? [`"${Attr.contentRedacted}":${changed}`] : []),
  ];
  return notes.length === 0 ? json.text : `${json.text.slice(0, -1)},${notes.join(",")}}`;
}

/** With less room than this an item is nothing but punctuation. */
const smallestItem = 256;

/** One span may be reached through several wrappers; what it holds is counted once. */
function unwrap(span: Span): Span {
  return span instanceof DelegatingSpan ? span.span : span;
}
