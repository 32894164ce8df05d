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
import { PlainMessage } from "./plain-message.ts";
import { recordText } from "./record-value.ts";
import { claim, isRecorded, release } from "./recorded-ids.ts";
import { isRedacting, redactionCount } from "./redaction.ts";
import { appendJson, appendStrings, contentRoom, countCut, countRedacted } from "./span-content.ts";
import { storeBody } from "./store-body.ts";
import { responseId, writeToolAnswer } from "./tool-answer.ts";
import type { ToolAnswer } from "./tool-answer.ts";

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

export interface RecordableCall {
  readonly arguments?: unknown;
  readonly result?: unknown;
  /** Id of the message whose tool call this is. Arguments that stand there are named, not repeated, unless they are short. */
  readonly askedIn?: string;
  /** Where the result stands among the responses of a message to come: that message's text need not be recorded then. */
  readonly answeredIn?: ToolAnswer;
}

/** `gen_ai.tool.call.arguments` and `gen_ai.tool.call.result`: a string as it is, anything else as JSON. */
export function recordToolCall(span: Span, call: RecordableCall): void {
  const target = unwrap(span);
  if (!target.isRecording()) return;
  const { askedIn, answeredIn, result } = call;
  if (call.arguments !== undefined) {
    if (askedIn === undefined) recordText(target, Attr.toolCallArguments, call.arguments);
    else recordNamed(target, [Attr.toolCallArguments, Attr.toolAskedIn], call.arguments, askedIn);
  }
  if (result === undefined) return;
  recordText(target, Attr.toolCallResult, result);
  if (answeredIn === undefined) return;
  target.setAttribute(Attr.toolAnsweredIn, writeToolAnswer(answeredIn));
  if (contentSettings().policy !== "none")
    claim(target.spanContext().traceId, responseId(answeredIn.messageId, answeredIn.place));
}

/** A chat's summary. `messageId`: of the message whose text it is, if it is one's. */
export function recordSummary(span: Span, text: string, messageId: string | undefined): void {
  const target = unwrap(span);
  if (messageId === undefined) recordText(target, Attr.chatSummary, text);
  else recordNamed(target, [Attr.chatSummary, Attr.chatSummaryOf], text, messageId);
}

/** To name a text costs as much as to write so many characters: a short one stands in both places. */
const shortText = 64;

/** A text that a message holds: where the trace has the message it is named, not repeated. */
function recordNamed(
  span: Span,
  [key, namedBy]: readonly [string, string],
  text: unknown,
  messageId: string,
): void {
  span.setAttribute(namedBy, messageId);
  const isShort = typeof text === "string" && text.length <= shortText;
  const isKnown = contentSettings().policy === "delta" && isRecorded(span.spanContext().traceId, messageId);
  if (isShort || !isKnown) recordText(span, key, text);
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
    if (policy === "delta" && isAnswered(traceId, message)) continue;
    const fresh = claim(traceId, message.id);
    if (!fresh && policy === "delta") continue;
    if (!appendMessage(target, key, message) && fresh) release(traceId, message.id);
  }
}

/** False when there was no room at all. */
function appendMessage(span: Span, key: string, message: RecordableMessage): boolean {
  const plain = isRedacting() ? undefined : PlainMessage.of(message);
  const room = contentRoom(span, key);
  if (plain === undefined || room < Math.max(smallestItem, plain.bytes))
    return appendBounded(span, key, toSchemaMessage(message), message.id);
  appendJson(span, key, plain, plain.bytes, message.id);
  return true;
}

/** Whether all that the message says are results, each of which stands on the span of its call. */
function isAnswered(traceId: string, { id, content, toolResponses = [] }: RecordableMessage): boolean {
  if (toolResponses.length === 0 || (content !== null && content !== "")) return false;
  return toolResponses.every((_, place) => isRecorded(traceId, responseId(id, place)));
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
function appendBounded(span: Span, key: string, item: unknown, id?: string): boolean {
  const room = contentRoom(span, key);
  if (room < smallestItem) {
    countCut(span, 0, 1);
    return false;
  }
  const before = redactionCount();
  const bounded = boundedJson(item, room);
  const changed = redactionCount() - before;
  addNotes(bounded, changed);
  appendJson(span, key, bounded.json, bounded.bytes, id);
  countRedacted(span, changed);
  countCut(span, bounded.cutBytes, bounded.cutItems);
  if (bounded.cutBytes > 0 || bounded.cutItems > 0)
    storeBody(span, key, () => String(boundedJson(item, Number.POSITIVE_INFINITY).json));
  return true;
}

/** The item says itself what it lacks, so that whoever reads it alone knows. What is written already lacks nothing. */
function addNotes({ json, cutBytes, cutItems }: BoundedJson, changed: number): void {
  if (typeof json === "string") return;
  const { copy } = json;
  if (typeof copy !== "object" || copy === null || Array.isArray(copy)) return;
  if (cutBytes > 0 || cutItems > 0) copy[Attr.contentCutBytes] = cutBytes;
  if (changed > 0) copy[Attr.contentRedacted] = changed;
}

/** With less room than this an item is nothing but punctuation. */
const smallestItem = 256;

/** One span may be reached through several wrappers; what it holds is counted once. */
function unwrap(span: Span): Span {
  return span instanceof DelegatingSpan ? span.span : span;
}
