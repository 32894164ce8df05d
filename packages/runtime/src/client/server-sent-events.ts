import { tooLarge } from "./too-large.ts";

export interface ServerSentEvent {
  /** `message` unless the event says otherwise. */
  readonly type: string;
  readonly data: string;
}

const newline = 10;
const carriageReturn = 13;
const space = 32;

/**
 * Reads server-sent events (HTML standard, 9.2.6) as their bytes come. Whole lines are decoded together, and a line is put
 * together once however many chunks it came in, so that an event of many megabytes costs no more per byte than a small one.
 * `id` and `retry` mean nothing to A2A's bindings.
 */
export class EventParser {
  readonly #maxBytes: number;
  readonly #onEvent: (event: ServerSentEvent) => void;
  /** The begin of a line whose end has not come yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #type = "message";
  #data: string | undefined;

  /** `maxBytes`: of one event. */
  constructor(maxBytes: number, onEvent: (event: ServerSentEvent) => void) {
    this.#maxBytes = maxBytes;
    this.#onEvent = onEvent;
  }

  /** @throws WeftError `limit_exceeded` for an event that is too large */
  push(chunk: Buffer): void {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end > 0) this.#lines(this.#decode(chunk, end));
    if (end === chunk.length) return;
    this.#pending.push(end === 0 ? chunk : chunk.subarray(end));
    this.#pendingBytes += chunk.length - end;
    if (this.#pendingBytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }

  /** What is pending and the first `end` bytes of a chunk. They end in a newline, which never stands within a character. */
  #decode(chunk: Buffer, end: number): string {
    if (this.#pendingBytes === 0) return chunk.toString("utf8", 0, end);
    const whole = Buffer.concat([...this.#pending, chunk.subarray(0, end)]);
    this.#pending = [];
    this.#pendingBytes = 0;
    return whole.toString("utf8");
  }

  #lines(text: string): void {
    let start = 0;
    for (let next = text.indexOf("\n"); next >= 0; next = text.indexOf("\n", start)) {
      const end = next > start && text.charCodeAt(next - 1) === carriageReturn ? next - 1 : next;
      if (end === start) this.#dispatch();
      else this.#field(text, start, end);
      start = next + 1;
    }
  }

  #field(text: string, start: number, end: number): void {
    if (text.startsWith("data:", start)) this.#addData(valueOf(text, start + 5, end));
    else if (text.startsWith("event:", start)) this.#type = valueOf(text, start + 6, end);
    else if (end - start === 4 && text.startsWith("data", start)) this.#addData("");
  }

  #addData(value: string): void {
    const data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    if (data.length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#data = data;
  }

  /** An empty line: what has no data is no event. */
  #dispatch(): void {
    const event = this.#data === undefined ? undefined : { type: this.#type, data: this.#data };
    this.#type = "message";
    this.#data = undefined;
    if (event) this.#onEvent(event);
  }
}

function valueOf(text: string, start: number, end: number): string {
  return text.slice(text.charCodeAt(start) === space ? start + 1 : start, end);
}
