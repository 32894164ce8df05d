/*
 * History: one agent's view of a conversation.
 *
 * Job: an append-only list of messages with an id of its own, so that a span can say "places 0 to 41 of h1"
 *   instead of repeating texts (`weft.context`, `weft.history.appends`).
 * Owns: the list, and which message ids it holds.
 * Does not own: the messages (frozen, shared between histories), or who says what it appended (spans do).
 *
 * I1  A place, once given, always holds the same message.
 * I2  A message id stands at most once in a history when it came by `mirror`.
 * I3  Mirroring costs what is new, never what is old.
 */
import { newSpanId } from "@weft/tracing/internal";
import type { AgentMessage } from "./message.ts";

const fewMessages = 16;

/** An append-only list of messages. Places count from 0. */
export class History {
  /** Random and short, `[a-z0-9]` only: it is written into runs such as `h3f09c2a1:0-41`. */
  readonly id: string;
  readonly #messages: AgentMessage[];
  /** Of a history that is long enough for it to be quicker than a look at each message. */
  #ids: Set<string> | undefined;

  /** Without an id it is a new one that begins with those messages. */
  constructor(restored?: { readonly id?: string; readonly messages: readonly AgentMessage[] }) {
    // The same kind of id a span has: hexadecimal, from pooled randomness.
    this.id = restored?.id ?? `h${newSpanId()}`;
    this.#messages = restored ? [...restored.messages] : [];
  }

  /** The live list. It grows; what it holds never changes. */
  get messages(): readonly AgentMessage[] {
    return this.#messages;
  }

  get length(): number {
    return this.#messages.length;
  }

  has(messageId: string): boolean {
    if (this.#messages.length <= fewMessages) return isAmong(this.#messages, messageId);
    this.#ids ??= new Set(this.#messages.map(({ id }) => id));
    return this.#ids.has(messageId);
  }

  /** Appends a message and returns its place. */
  append(message: AgentMessage): number {
    this.#ids?.add(message.id);
    return this.#messages.push(message) - 1;
  }

  /**
   * Copies `source` from place `from` on, as agent `as` sees it: its own messages are `assistant`, tool messages
   * stay `tool`, everyone else is `user`; tool calls force `assistant` (SEMANTICS M3). Messages already here are
   * left out. Ids stay: a message is one message in every history.
   *
   * @returns the runs that say what was copied, `here:a-b=there:c-d`, for `weft.history.appends`; [] for nothing
   */
  mirror(source: History, from: number, as: string): readonly string[] {
    const runs: string[] = [];
    const messages = source.messages;
    let place = from;
    while (place < messages.length) {
      const start = place;
      const here = this.#messages.length;
      for (; place < messages.length && !this.has(messages[place]!.id); place++) {
        this.append(projectMessage(messages[place]!, as));
      }
      if (place > start) {
        runs.push(`${this.id}:${here}-${this.#messages.length - 1}=${source.id}:${start}-${place - 1}`);
      }
      while (place < messages.length && this.has(messages[place]!.id)) place++;
    }
    return runs;
  }

  /** The run of places `from` to `to`, both inclusive, as `weft.context` writes it; "" for an empty run. */
  run(from = 0, to = this.#messages.length - 1): string {
    return to < from ? "" : `${this.id}:${from}-${to}`;
  }

  /** Plain data for a checkpoint; the constructor takes it back. */
  toJSON(): { readonly id: string; readonly messages: readonly AgentMessage[] } {
    return { id: this.id, messages: [...this.#messages] };
  }
}

function isAmong(messages: readonly AgentMessage[], id: string): boolean {
  for (const message of messages) if (message.id === id) return true;
  return false;
}

/** A message as agent `as` sees it: the same object when its role already fits, or nobody is named as its speaker. */
export function projectMessage(message: AgentMessage, as: string): AgentMessage {
  const role = projectedRole(message, as);
  return role === message.role ? message : Object.freeze({ ...message, role });
}

function projectedRole(message: AgentMessage, as: string): AgentMessage["role"] {
  if (message.toolCalls?.length) return "assistant";
  if (message.role === "system" || message.role === "tool" || message.name === undefined) return message.role;
  return message.name === as ? "assistant" : "user";
}
