import { textBytes } from "./cut-text.ts";
import { quotedPieces } from "./deferred-json.ts";
import { DeferredText } from "./deferred-text.ts";
import type { RecordableMessage } from "./message-schema.ts";

/** Of the names and the punctuation around the texts. */
const frameBytes = 66;

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
    this.bytes = frameBytes + textBytes(id) + textBytes(text) + (name === undefined ? 0 : textBytes(name));
  }

  /** Undefined for a message that says more. */
  static of(message: RecordableMessage): PlainMessage | undefined {
    const { id, role, name, content } = message;
    if (typeof content !== "string" || message.toolCalls !== undefined) return undefined;
    if (message.toolResponses !== undefined || message.finishReason !== undefined) return undefined;
    return new PlainMessage(id, role, name, content);
  }

  *pieces(): Generator<string> {
    yield this.#head();
    yield* quotedPieces(this.#text);
    yield tail;
  }

  toString(): string {
    return this.#head() + JSON.stringify(this.#text) + tail;
  }

  #head(): string {
    const name = this.#name === undefined ? "" : `,"name":${JSON.stringify(this.#name)}`;
    return `{"id":${JSON.stringify(this.#id)},"role":"${this.#role}"${name},"parts":[{"type":"text","content":`;
  }
}

const tail = "}]}";
