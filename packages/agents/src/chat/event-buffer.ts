/*
 * EventBuffer: events between a run that never waits and a reader that may be slow, late or absent.
 *
 * Job: keeps events for one reader, in order.
 * Owns: what is not read yet. Does not own: the run.
 *
 * I1  Pushing never blocks and never fails.
 * I2  Past the bound, a text delta is merged into the unread one of its message; if there is none, the oldest unread
 *     delta is dropped and counted. So is it while the unread deltas hold more text than they may. Other events
 *     always stay.
 */
import type { RunEvent } from "./questions.ts";

const eventBound = 1_024;
/** Characters of text in the unread deltas. */
const textBound = 1024 * 1024;

type TextDelta = Extract<RunEvent, { readonly type: "text-delta" }>;

export class EventBuffer {
  readonly #bound: number;
  readonly #textBound: number;
  #events: (RunEvent | undefined)[] = [];
  #head = 0;
  #unread = 0;
  /** Characters in the unread deltas. */
  #text = 0;
  /** No unread delta stands before this place: what was looked through once is not looked through again. */
  #deltasFrom = 0;
  #wake: (() => void) | undefined;
  #end: { readonly error?: Error } | undefined;
  #dropped = 0;

  constructor(bound = eventBound, maxText = textBound) {
    this.#bound = bound;
    this.#textBound = maxText;
  }

  /** Text deltas that were dropped because nobody read. */
  get dropped(): number {
    return this.#dropped;
  }

  push(event: RunEvent): void {
    if (this.#end) return;
    if (event.type === "text-delta" && this.#absorb(event)) return;
    this.#events.push(event);
    this.#unread++;
    this.#notify();
  }

  /** No more events; with an error, the reader gets it after what is unread. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    this.#notify();
  }

  /** The next event, waiting for it; undefined at the end. */
  async next(): Promise<RunEvent | undefined> {
    for (;;) {
      const event = this.#take();
      if (event) return event;
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): RunEvent | undefined {
    while (this.#head < this.#events.length) {
      const event = this.#events[this.#head];
      this.#events[this.#head++] = undefined;
      if (this.#head > 512 && this.#head * 2 > this.#events.length) this.#compact();
      if (event) {
        this.#unread--;
        if (event.type === "text-delta") this.#text -= event.text.length;
        return event;
      }
    }
    return undefined;
  }

  #compact(): void {
    this.#events = this.#events.slice(this.#head);
    this.#deltasFrom = Math.max(0, this.#deltasFrom - this.#head);
    this.#head = 0;
  }

  /** Makes room for a delta; true when an unread one took it in. */
  #absorb(delta: TextDelta): boolean {
    this.#text += delta.text.length;
    while (this.#text > this.#textBound && this.#dropOldest());
    if (this.#unread < this.#bound) return false;
    if (this.#merge(delta)) return true;
    this.#dropOldest();
    return false;
  }

  /** Only the last unread event can be the same message's: anything after it would be overtaken by the text. */
  #merge(delta: TextDelta): boolean {
    const last = this.#events.at(-1);
    if (last?.type !== "text-delta" || last.messageId !== delta.messageId || last.spanId !== delta.spanId)
      return false;
    this.#events[this.#events.length - 1] = { ...last, text: last.text + delta.text };
    return true;
  }

  /** False when there is none. */
  #dropOldest(): boolean {
    for (let index = Math.max(this.#head, this.#deltasFrom); index < this.#events.length; index++) {
      this.#deltasFrom = index;
      const event = this.#events[index];
      if (event?.type !== "text-delta") continue;
      this.#events[index] = undefined;
      this.#text -= event.text.length;
      this.#unread--;
      this.#dropped++;
      return true;
    }
    return false;
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
