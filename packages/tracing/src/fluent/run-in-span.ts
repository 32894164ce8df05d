import type { OpenSpan } from "../spans/open-span.ts";

/**
 * Runs `fn` with the span active and ends the span when what it returns is over: at once, when a promise or foreign
 * thenable settles, or when a generator is consumed, broken off or fails. `onResult` sees the value first.
 */
export function runInSpan<T>(open: OpenSpan, fn: () => T, onResult?: (value: unknown) => void): T {
  const finish = (value: unknown): void => {
    onResult?.(value);
    open.end();
  };
  let result: T;
  try {
    result = open.run(fn);
  } catch (error) {
    open.fail(error);
    throw error;
  }
  if (isThenable(result)) return watchThenable(result, open, finish) as T;
  if (isAsyncGenerator(result)) return watchAsyncGenerator(result, open, onResult) as T;
  if (isGenerator(result)) return watchGenerator(result, open, onResult) as T;
  finish(result);
  return result;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  return Object.prototype.toString.call(value) === "[object AsyncGenerator]";
}

function isGenerator(value: unknown): value is Generator {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

/** What comes out is what `then` of the thenable's own kind makes. */
function watchThenable(
  thenable: PromiseLike<unknown>,
  open: OpenSpan,
  finish: (value: unknown) => void,
): PromiseLike<unknown> {
  return thenable.then(
    (value) => {
      finish(value);
      return value;
    },
    (error: unknown) => {
      open.fail(error);
      throw error;
    },
  );
}

/** What a generator yielded so far, and how its span ends: by the first error that came by, else plainly. */
class Reading {
  readonly chunks: unknown[] = [];
  readonly #open: OpenSpan;
  readonly #onResult: ((value: unknown) => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(open: OpenSpan, onResult: ((value: unknown) => void) | undefined) {
    this.#open = open;
    this.#onResult = onResult;
  }

  /** Keeps the error for `finish` and gives it back to be thrown. */
  failed(error: unknown): unknown {
    this.#failure ??= { error };
    return error;
  }

  finish(): void {
    this.#onResult?.(this.chunks);
    if (this.#failure === undefined) this.#open.end();
    else this.#open.fail(this.#failure.error);
  }
}

async function* watchAsyncGenerator(
  source: AsyncGenerator,
  open: OpenSpan,
  onResult?: (value: unknown) => void,
): AsyncGenerator {
  const reading = new Reading(open, onResult);
  try {
    try {
      for (let input: unknown; ;) {
        const step = await open.run(() => source.next(input));
        if (step.done === true) return step.value as unknown;
        reading.chunks.push(step.value);
        input = yield step.value;
      }
    } finally {
      await open.run(() => source.return(undefined));
    }
  } catch (error) {
    throw reading.failed(error);
  } finally {
    reading.finish();
  }
}

function* watchGenerator(source: Generator, open: OpenSpan, onResult?: (value: unknown) => void): Generator {
  const reading = new Reading(open, onResult);
  try {
    try {
      for (let input: unknown; ;) {
        const step = open.run(() => source.next(input));
        if (step.done === true) return step.value as unknown;
        reading.chunks.push(step.value);
        input = yield step.value;
      }
    } finally {
      open.run(() => source.return(undefined));
    }
  } catch (error) {
    throw reading.failed(error);
  } finally {
    reading.finish();
  }
}
