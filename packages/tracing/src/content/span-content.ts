/**
 * Job: what a span holds of content so far, so that a second call adds to the first and budgets are kept.
 * Owns: that count per span, for as long as somebody holds the span.
 * I1. The content of one attribute stays within its budget, that of a span within the span's.
 * I2. What was cut is counted on the span.
 */
import type { AttributeValue, Span } from "@opentelemetry/api";
import { Attr } from "../vocabulary.ts";
import { contentSettings } from "./content-settings.ts";

interface SpanContent {
  spent: number;
  cutBytes: number;
  cutItems: number;
  redacted: number;
  /** JSON items by attribute key, or strings of a list attribute. */
  readonly lists: Map<string, { readonly items: string[]; bytes: number }>;
}

const contents = new WeakMap<Span, SpanContent>();

function contentOf(span: Span): SpanContent {
  let content = contents.get(span);
  if (content === undefined) {
    content = { spent: 0, cutBytes: 0, cutItems: 0, redacted: 0, lists: new Map() };
    contents.set(span, content);
  }
  return content;
}

function listOf(content: SpanContent, key: string): { readonly items: string[]; bytes: number } {
  let list = content.lists.get(key);
  if (list === undefined) {
    list = { items: [], bytes: 2 };
    content.lists.set(key, list);
  }
  return list;
}

/** Bytes of content that attribute `key` may still take. */
export function contentRoom(span: Span, key: string): number {
  const { attributeBytes, spanBytes } = contentSettings();
  const content = contents.get(span);
  if (content === undefined) return Math.min(attributeBytes, spanBytes);
  return Math.min(attributeBytes - (content.lists.get(key)?.bytes ?? 0), spanBytes - content.spent);
}

/** Adds a JSON item of so many bytes to the JSON array that attribute `key` holds. */
export function appendJson(span: Span, key: string, item: string, bytes: number): void {
  const content = contentOf(span);
  const list = listOf(content, key);
  list.items.push(item);
  list.bytes += bytes + 1;
  content.spent += bytes + 1;
  setRecorded(span, key, `[${list.items.join(",")}]`);
}

/** Adds strings to the list that attribute `key` is. Places and ids are not content: no budget. */
export function appendStrings(span: Span, key: string, values: readonly string[]): void {
  if (values.length === 0) return;
  const list = listOf(contentOf(span), key);
  list.items.push(...values);
  setRecorded(span, key, [...list.items]);
}

/** Sets a text that was made to fit, and takes so many bytes. */
export function setContent(span: Span, key: string, text: string, bytes: number): void {
  contentOf(span).spent += bytes;
  setRecorded(span, key, text);
}

export function countRedacted(span: Span, texts: number): void {
  if (texts === 0) return;
  const content = contentOf(span);
  content.redacted += texts;
  setRecorded(span, Attr.contentRedacted, content.redacted);
}

/** A span of ours takes what is redacted already as it is; to look through JSON again might break it. */
export interface TakesRecorded {
  setRecorded(key: string, value: AttributeValue): void;
}

function setRecorded(span: Span, key: string, value: AttributeValue): void {
  if ("setRecorded" in span) (span as Span & TakesRecorded).setRecorded(key, value);
  else span.setAttribute(key, value);
}

export function countCut(span: Span, bytes: number, items: number): void {
  if (bytes === 0 && items === 0) return;
  const content = contentOf(span);
  content.cutBytes += bytes;
  content.cutItems += items;
  if (content.cutBytes > 0) setRecorded(span, Attr.contentCutBytes, content.cutBytes);
  if (content.cutItems > 0) setRecorded(span, Attr.contentCutItems, content.cutItems);
}
