/** JSON that is written when its span leaves the process; until then it is a copy, whose texts are the very strings of the caller. */

import { DeferredText } from "./deferred-text.ts";
import type { TextOut } from "./deferred-text.ts";

/** A value that JSON.stringify can write as it is: what is undefined it leaves out. */
export type JsonCopy = string | number | boolean | null | JsonCopy[] | JsonRecord;

interface JsonRecord {
  [key: string]: JsonCopy | undefined;
}

/** Characters of a piece; JSON.stringify takes about half a millisecond for it. */
const pieceLength = 128 * 1024;

export class DeferredJson extends DeferredText {
  readonly bytes: number;
  /** Nobody else's; may be added to until the span ends. */
  readonly copy: JsonCopy;

  constructor(copy: JsonCopy, bytes: number) {
    super();
    this.copy = copy;
    this.bytes = bytes;
  }

  pieces(): Iterable<string> {
    return piecesOf(this.copy);
  }

  toString(): string {
    return JSON.stringify(this.copy);
  }
}

/** A JSON array that grows until its span ends. */
export class DeferredJsonList extends DeferredText {
  /** The attribute that it is. */
  readonly key: string;
  #items: readonly (string | DeferredText)[] = none;
  #ids: readonly string[] = none;
  #bytes = 2;
  #textBytes = 2;

  /** Another one of its span. */
  readonly next: DeferredJsonList | undefined;

  constructor(key = "", next?: DeferredJsonList) {
    super();
    this.key = key;
    this.next = next;
  }

  /** Ids of the items that have one of their own. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of text in it: what counts for a budget. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** `item`: the text of a JSON value, or what makes one. */
  add(item: string | DeferredText, bytes: number, id: string | undefined): void {
    this.#items = appended(this.#items, item);
    this.#bytes += typeof item === "string" ? bytes + 1 : item.bytes + 1;
    this.#textBytes += bytes + 1;
    if (id !== undefined) this.#ids = appended(this.#ids, id);
  }

  *pieces(): Generator<string> {
    let before = "[";
    for (const item of this.#items) {
      yield before;
      if (typeof item === "string") yield item;
      else yield* item.pieces();
      before = ",";
    }
    yield "]";
  }

  toString(): string {
    return `[${this.#items.join(",")}]`;
  }

  override writeTo(out: TextOut): void {
    let before = "[";
    for (const item of this.#items) {
      out.text(before);
      if (typeof item === "string") out.text(item);
      else item.writeTo(out);
      before = ",";
    }
    out.text("]");
  }
}

const none: readonly never[] = [];

/** Most lists have one item: an array of one is an eighth of what `push` would make. What has more grows in place. */
function appended<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

function* piecesOf(value: JsonCopy): Generator<string> {
  if (typeof value === "string") yield* quotedPieces(value);
  else if (lengthUpTo(value, pieceLength) < pieceLength) yield JSON.stringify(value);
  else if (Array.isArray(value)) yield* arrayPieces(value);
  else yield* recordPieces(value as JsonRecord);
}

export function* quotedPieces(text: string): Generator<string> {
  yield '"';
  for (const piece of textPieces(text)) yield JSON.stringify(piece).slice(1, -1);
  yield '"';
}

/** A run of small items is written as one. */
function* arrayPieces(items: readonly JsonCopy[]): Generator<string> {
  let before = "[";
  for (let from = 0; from < items.length;) {
    let to = from;
    let length = 0;
    while (to < items.length && length < pieceLength) {
      length += lengthUpTo(items[to], pieceLength);
      to += 1;
    }
    // The last one is what made it too long: it goes by itself.
    if (length >= pieceLength && to - from > 1) to -= 1;
    yield before;
    if (to - from > 1) yield JSON.stringify(items.slice(from, to)).slice(1, -1);
    else yield* piecesOf(items[from] as JsonCopy);
    before = ",";
    from = to;
  }
  yield before === "[" ? "[]" : "]";
}

/** Small members are written together. */
function* recordPieces(record: JsonRecord): Generator<string> {
  let text = "{";
  let comma = "";
  for (const key of Object.keys(record)) {
    const value = record[key];
    if (value === undefined) continue;
    text += `${comma}${JSON.stringify(key)}:`;
    comma = ",";
    if (lengthUpTo(value, pieceLength) < pieceLength) text += JSON.stringify(value);
    else {
      yield text;
      yield* piecesOf(value);
      text = "";
    }
    if (text.length < pieceLength) continue;
    yield text;
    text = "";
  }
  yield `${text}}`;
}

/** About the length of the value's JSON; not looked at any further once it is `limit`. */
function lengthUpTo(value: JsonCopy | undefined, limit: number): number {
  if (typeof value === "string") return value.length + 3;
  if (typeof value !== "object" || value === null) return 8;
  let length = 2;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length && length < limit; at += 1)
      length += lengthUpTo(value[at], limit - length);
    return length;
  }
  for (const key in value) {
    if (length >= limit) break;
    length += key.length + 4 + lengthUpTo(value[key], limit - length);
  }
  return length;
}

/** A long text in parts that begin and end between characters. */
export function* textPieces(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const to = pieceEnd(text, from);
    yield from === 0 && to === text.length ? text : text.slice(from, to);
    from = to;
  }
}

/** A pair of surrogates is not torn apart. */
function pieceEnd(text: string, from: number): number {
  const to = Math.min(text.length, from + pieceLength);
  if (to === text.length) return to;
  const last = text.charCodeAt(to - 1);
  return last >= 0xd800 && last <= 0xdbff ? to - 1 : to;
}
