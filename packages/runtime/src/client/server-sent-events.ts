import { tooLarge } from "./too-large.ts";

export interface ServerSentEvent {
  /** `message` unless the event says otherwise. */
  readonly type: string;
  readonly data: string;
  readonly id: string | undefined;
}

const newline = 10;

/**
 * Reads server-sent events (HTML standard, 9.2.6). A line is put together once however many chunks it came in, so that
 * an event of many megabytes costs no more per byte than a small one.
 *
 * @throws WeftError `limit_exceeded` for an event of more than `maxBytes`
 */
export async function* readEvents(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<ServerSentEvent, void> {
  const event = new EventParts(maxBytes);
  for await (const line of readLines(body, maxBytes)) {
    if (line !== "") event.add(line);
    else if (event.hasData) yield event.take();
  }
}

async function* readLines(body: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string, void> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const rest = chunk.subarray(start, end);
      const line = pendingBytes === 0 ? rest : Buffer.concat([...pending, rest]);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      yield line.at(-1) === 13 ? line.toString("utf8", 0, line.length - 1) : line.toString("utf8");
    }
    if (start === chunk.length) continue;
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > maxBytes) throw tooLarge(maxBytes);
  }
}

class EventParts {
  readonly #maxBytes: number;
  #type = "message";
  #id: string | undefined;
  #data: string[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get hasData(): boolean {
    return this.#data.length > 0;
  }

  add(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const start = line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1;
    const value = colon < 0 ? "" : line.slice(start);
    if (field === "data") this.#addData(value);
    else if (field === "event") this.#type = value;
    else if (field === "id") this.#id = value;
  }

  take(): ServerSentEvent {
    const data = this.#data.length === 1 ? this.#data[0]! : this.#data.join("\n");
    const event = { type: this.#type, data, id: this.#id };
    this.#type = "message";
    this.#id = undefined;
    this.#data = [];
    this.#size = 0;
    return event;
  }

  #addData(value: string): void {
    this.#size += value.length;
    if (this.#size > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#data.push(value);
  }
}
