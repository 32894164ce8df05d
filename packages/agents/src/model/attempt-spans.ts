/*
 * AttemptSpans: the spans of one model call (SPANS.md, "model call").
 *
 * Job: one `chat` span for each model that is asked, one `weft.retry` event for each time the same one is asked again.
 * Owns: the open span. Does not own: what is said on it of the request and the answer.
 *
 * I1  At most one span is open; every one but the last failed and ended as an error, without usage.
 * I2  All hang where the call was made, whatever is ambient when an attempt fails.
 */
import type { Context, OpenSpan } from "@weft/tracing/internal";
import { activeContext } from "@weft/tracing/internal";
import { Attr, EventNames } from "@weft/tracing/vocabulary";
import type { CallClock } from "../agent/call-clock.ts";
import type { ChatModel, FailedAttempt } from "./chat-model.ts";

export class AttemptSpans {
  /** The span of the attempt that is under way. */
  opened: OpenSpan;
  /** When it began, in milliseconds of `performance.now()`. */
  startedAt = performance.now();
  readonly #open: (model: ChatModel, parent: Context) => OpenSpan;
  readonly #parent = activeContext();
  #models = 1;
  #retries = 0;

  constructor(model: ChatModel, open: (model: ChatModel, parent: Context) => OpenSpan) {
    this.#open = open;
    this.opened = open(model, this.#parent);
  }

  /** Takes note of an attempt that came to nothing; whoever is asked next has `clock`'s whole time. */
  fail({ error, next, waitMs }: FailedAttempt, clock: CallClock): void {
    clock.restart(waitMs);
    if (next) return this.#moveTo(next, error);
    this.#retries++;
    this.opened.span.addEvent(EventNames.retry, {
      [Attr.attempt]: this.#retries,
      [Attr.errorType]: error.code,
      ...(waitMs === undefined ? {} : { [Attr.retryWaitMs]: waitMs }),
    });
  }

  #moveTo(next: ChatModel, error: unknown): void {
    this.opened.span.setAttribute(Attr.modelFailoverAttempt, this.#models);
    this.opened.fail(error);
    this.#models++;
    this.#retries = 0;
    this.opened = this.#open(next, this.#parent);
    this.opened.span.setAttribute(Attr.modelFailoverAttempt, this.#models);
    this.startedAt = performance.now();
  }
}
