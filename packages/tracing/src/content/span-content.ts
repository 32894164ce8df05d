/**
 * Job: what a span holds of content so far, so that a second call adds to the first and budgets are kept.
 * Owns: that count per span, on the span itself where it is ours.
 * I1. The content of one attribute stays within its budget, that of a span within the span's; JSON's escapes do not count.
 * I2. What was cut is counted on the span.
 * I3. Texts that are not made yet are only given to spans of ours; another SDK's get strings.
 */
import type { Span } from "@opentelemetry/api";
import { Attr } from "../vocabulary.ts";
import { contentSettings } from "./content-settings.ts";
import { DeferredJsonList } from "./deferred-json.ts";
import { withoutDeferral } from "./deferred-text.ts";
import type { DeferredText } from "./deferred-text.ts";

/** Counts of one span. */
export class SpanContent {
  spent = 0;
  cutBytes = 0;
  cutItems = 0;
  redacted = 0;
  /** One for each attribute that holds messages or the like: few, mostly one. */
  #lists: DeferredJsonList | undefined;

  list(key: string): DeferredJsonList | undefined {
    let list = this.#lists;
    while (list !== undefined && list.key !== key) list = list.next;
    return list;
  }

  addList(key: string): DeferredJsonList {
    return (this.#lists = new DeferredJsonList(key, this.#lists));
  }
}

type Recorded = string | number | string[] | DeferredText;

/** A span of ours takes what is redacted already as it is; to look through JSON again might break it. */
export interface TakesRecorded {
  content: SpanContent | undefined;
  /** What attribute `key` is so far. */
  recorded(key: string): unknown;
  /** `value` may be a `DeferredText`, and belongs to the span from now on. */
  setRecorded(key: string, value: Recorded): void;
}

/** What a span of another SDK does not say itself. */
class ForeignContent extends SpanContent {
  /** Lists of strings by attribute key. */
  readonly strings = new Map<string, readonly string[]>();
}

const foreign = new WeakMap<Span, ForeignContent>();

function takesRecorded(span: Span): span is Span & TakesRecorded {
  return "setRecorded" in span;
}

function contentOf(span: Span): SpanContent {
  return takesRecorded(span) ? (span.content ??= new SpanContent()) : foreignContent(span);
}

function foreignContent(span: Span): ForeignContent {
  let content = foreign.get(span);
  if (content === undefined) {
    content = new ForeignContent();
    foreign.set(span, content);
  }
  return content;
}

/** Bytes of content that attribute `key` may still take. */
export function contentRoom(span: Span, key: string): number {
  const { attributeBytes, spanBytes } = contentSettings();
  const content = takesRecorded(span) ? span.content : foreign.get(span);
  if (content === undefined) return Math.min(attributeBytes, spanBytes);
  return Math.min(attributeBytes - (content.list(key)?.textBytes ?? 0), spanBytes - content.spent);
}

/** Adds a JSON item of so many bytes, and perhaps with an id, to the JSON array that attribute `key` holds. */
export function appendJson(
  span: Span,
  key: string,
  item: string | DeferredText,
  bytes: number,
  id: string | undefined,
): void {
  const content = contentOf(span);
  const list = content.list(key) ?? content.addList(key);
  // Another SDK's span gets the whole list anew with every item: what is in it is written once.
  list.add(takesRecorded(span) ? item : item.toString(), bytes, id);
  content.spent += bytes + 1;
  setRecorded(span, key, list);
}

/** Adds strings to the list that attribute `key` is. Places and ids are not content: no budget. */
export function appendStrings(span: Span, key: string, values: readonly string[]): void {
  if (values.length === 0) return;
  if (takesRecorded(span)) {
    const before = span.recorded(key);
    return span.setRecorded(key, Array.isArray(before) ? [...(before as string[]), ...values] : [...values]);
  }
  const { strings } = foreignContent(span);
  const list = [...(strings.get(key) ?? []), ...values];
  strings.set(key, list);
  span.setAttribute(key, list);
}

/** Sets a text that was made to fit, and takes so many bytes. */
export function setContent(span: Span, key: string, text: string | DeferredText, bytes: number): void {
  contentOf(span).spent += bytes;
  setRecorded(span, key, text);
}

export function countRedacted(span: Span, texts: number): void {
  if (texts === 0) return;
  const content = contentOf(span);
  content.redacted += texts;
  setRecorded(span, Attr.contentRedacted, content.redacted);
}

export function countCut(span: Span, bytes: number, items: number): void {
  if (bytes === 0 && items === 0) return;
  const content = contentOf(span);
  content.cutBytes += bytes;
  content.cutItems += items;
  if (content.cutBytes > 0) setRecorded(span, Attr.contentCutBytes, content.cutBytes);
  if (content.cutItems > 0) setRecorded(span, Attr.contentCutItems, content.cutItems);
}

function setRecorded(span: Span, key: string, value: Recorded): void {
  if (takesRecorded(span)) span.setRecorded(key, value);
  else span.setAttribute(key, withoutDeferral(value));
}
