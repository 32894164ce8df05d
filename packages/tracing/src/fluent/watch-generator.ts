/**
 * Generators in a span: every step runs in its context, and it ends when the generator is consumed, broken off (also before its first
 * step), or fails; abandoned, when nobody reads on for as long as the idle limit says.
 */
import { IdleLimit } from "../spans/idle-limit.ts";
import type { OpenSpan } from "../spans/open-span.ts";
import { Outcomes } from "../vocabulary.ts";
import type { Watching } from "./run-in-span.ts";

const maxChunks = 1000;

/** What a generator yielded so far, and how its span ends: by the first error that came by, else plainly. */
class Reading {
  readonly #chunks: unknown[] = [];
  readonly #open: OpenSpan;
  readonly #watching: Watching;
  readonly #idle: IdleLimit;
  #isOver = false;

  constructor(open: OpenSpan, watching: Watching) {
    this.#open = open;
    this.#watching = watching;
    this.#idle = new IdleLimit(() => this.#finish(() => open.end(Outcomes.abandoned)));
  }

  ask<T>(step: () => T): T {
    this.#idle.asked();
    return this.#open.run(step);
  }

  take<T>(step: IteratorResult<unknown, T>): void {
    if (step.done === true) return this.#finish(() => this.#open.end());
    const { onResult, keepAll = false } = this.#watching;
    if (onResult !== undefined && (keepAll || this.#chunks.length < maxChunks)) this.#chunks.push(step.value);
    if (!this.#isOver) this.#idle.answered();
  }

  fail(error: unknown): void {
    this.#finish(() => this.#open.fail(error));
  }

  #finish(end: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#idle.stop();
    this.#watching.onResult?.(this.#chunks);
    end();
  }
}

export function watchAsyncGenerator(
  source: AsyncGenerator,
  open: OpenSpan,
  watching: Watching,
): AsyncGenerator {
  const reading = new Reading(open, watching);
  const take = async (step: () => Promise<IteratorResult<unknown, unknown>>) => {
    try {
      const taken = await reading.ask(step);
      reading.take(taken);
      return taken;
    } catch (error) {
      reading.fail(error);
      throw error;
    }
  };
  const watched: AsyncGenerator = {
    next: (...input) => take(() => source.next(...input)),
    return: (value: unknown) => take(() => source.return(value)),
    throw: (error) => take(() => source.throw(error)),
    [Symbol.asyncIterator]: () => watched,
    [Symbol.asyncDispose]: async () => void (await watched.return(undefined)),
  };
  return Object.defineProperty(watched, Symbol.toStringTag, { value: "AsyncGenerator" });
}

export function watchGenerator(source: Generator, open: OpenSpan, watching: Watching): Generator {
  const reading = new Reading(open, watching);
  const take = (step: () => IteratorResult<unknown, unknown>): IteratorResult<unknown, unknown> => {
    try {
      const taken = reading.ask(step);
      reading.take(taken);
      return taken;
    } catch (error) {
      reading.fail(error);
      throw error;
    }
  };
  // With the helpers that every iterator has: `map`, `take`, `toArray`.
  return Object.assign(Object.create(generatorPrototype) as Generator, {
    next: (...input: [] | [unknown]) => take(() => source.next(...input)),
    return: (value: unknown) => take(() => source.return(value)),
    throw: (error: unknown) => take(() => source.throw(error)),
  });
}

const generatorPrototype: object = Object.getPrototypeOf(
  Object.getPrototypeOf((function* () {})()),
) as object;
