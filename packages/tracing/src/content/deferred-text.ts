/** Where a text is written to. */
export interface TextOut {
  text(text: string): void;
  /** As a JSON string, with its quotes. */
  quoted(text: string): void;
}

/**
 * Text of a record that is made when it is needed, mostly after the call that is recorded, and in pieces where it is long.
 * What it is made of belongs to it alone: nobody can change it any more.
 */
export abstract class DeferredText {
  /** Bytes that it takes in memory and, but for JSON's escapes, on the wire. */
  abstract readonly bytes: number;

  /** The text, a part of it at a time; making one takes less than a millisecond or so. */
  abstract pieces(): Iterable<string>;

  /** The whole text in one go. */
  abstract toString(): string;

  /** The whole text in one go, without making a string of it where that can be done without. */
  writeTo(out: TextOut): void {
    out.text(this.toString());
  }

  toJSON(): string {
    return this.toString();
  }
}

/** The value itself, or the text that it makes: for whoever knows strings only. */
export function withoutDeferral<T>(value: T | DeferredText): T | string {
  return value instanceof DeferredText ? value.toString() : value;
}
