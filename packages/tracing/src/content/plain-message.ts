import { textBytes } from "./cut-text.ts";
import { quotedPieces } from "./deferred-json.ts";
import { DeferredText } from "./deferred-text.ts";
import type { TextOut } from "./deferred-text.ts";
import type { RecordableMessage } from "./message-schema.ts";

/** Of the names and the punctuation around the texts, without and with a speaker. */
const frameBytes = 58;
const nameBytes = 10;

/**
 * A message that says a text and nothing else, as most do; in the schema it is what `toSchemaMessage` makes of it. It is made of strings,
 * which nobody can change: there is nothing to copy, and nothing to write in the call.
 */
export class PlainMessage extends DeferredText {
  readonly bytes: number;
  readonly #id: string;
  readonly #role: string;
  readonly #name: string | undefined;
  readonly #text: string;

  private constructor(id: string, role: string, name: string | undefined, text: string) {
    super();
    this.#id = id;
    this.#role = role;
    this.#name = name;
    this.#text = text;
    this.bytes = frameBytes + textBytes(id) + role.length + textBytes(text);
    if (name !== undefined) this.bytes += nameBytes + textBytes(name);
  }

  /** Undefined for a message that says more. */
  static of(message: RecordableMessage): PlainMessage | undefined {
    const { id, role, name, content } = message;
    if (typeof content !== "string" || message.toolCalls !== undefined) return undefined;
    if (message.toolResponses !== undefined || message.finishReason !== undefined) return undefined;
    return new PlainMessage(id, role, name, content);
  }

  *pieces(): Generator<string> {
    const head = new JsonText();
    this.#writeHead(head);
    yield head.json;
    yield* quotedPieces(this.#text);
    yield tail;
  }

  toString(): string {
    const out = new JsonText();
    this.writeTo(out);
    return out.json;
  }

  override writeTo(out: TextOut): void {
    this.#writeHead(out);
    out.quoted(this.#text);
    out.text(tail);
  }

  #writeHead(out: TextOut): void {
    out.text('{"id":');
    out.quoted(this.#id);
    out.text(',"role":');
    out.quoted(this.#role);
    if (this.#name !== undefined) {
      out.text(',"name":');
      out.quoted(this.#name);
    }
    out.text(',"parts":[{"type":"text","content":');
  }
}

const tail = "}]}";

class JsonText implements TextOut {
  json = "";

  text(text: string): void {
    this.json += text;
  }

  quoted(text: string): void {
    this.json += JSON.stringify(text);
  }
}
