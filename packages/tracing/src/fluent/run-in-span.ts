import type { OpenSpan } from "../spans/open-span.ts";
import { watchAsyncGenerator, watchGenerator } from "./watch-generator.ts";

export interface Watching {
  /** Sees the value, or a generator's chunks, before the span ends. */
  readonly onResult?: (value: unknown) => void;
  /** Whether `onResult` wants every chunk of a generator, however many. Default: the first 1,000. */
  readonly keepAll?: boolean;
  /** Takes over a result that is not the end of the work, such as a stream, and with it the ending of the span. Undefined: not taken. */
  readonly take?: (value: unknown) => unknown;
}

/**
 * Runs `fn` with the span active and ends the span when what it returns is over: at once, when a promise or foreign
 * thenable settles, or when a generator, also one that a promise brought, is consumed, broken off or fails.
 */
export function runInSpan<T>(open: OpenSpan, fn: () => T, watching: Watching = {}): T {
  let result: T;
  try {
    result = open.run(fn);
  } catch (error) {
    open.fail(error);
    throw error;
  }
  return watch(result, open, watching) as T;
}

function watch(result: unknown, open: OpenSpan, watching: Watching): unknown {
  if (isThenable(result)) return watchThenable(result, open, watching);
  if (isAsyncGenerator(result)) return watchAsyncGenerator(result, open, watching);
  if (isGenerator(result)) return watchGenerator(result, open, watching);
  const taken = watching.take?.(result);
  if (taken !== undefined) return taken;
  watching.onResult?.(result);
  open.end();
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

function watchThenable(thenable: PromiseLike<unknown>, open: OpenSpan, watching: Watching): unknown {
  if (Object.getPrototypeOf(thenable) === Promise.prototype) return settle(thenable, open, watching);
  return watchForeign(thenable, open, watching);
}

function settle(thenable: PromiseLike<unknown>, open: OpenSpan, watching: Watching): PromiseLike<unknown> {
  return thenable.then(
    (value) => watch(value, open, watching),
    (error: unknown) => {
      open.fail(error);
      throw error;
    },
  );
}

/**
 * A thenable of somebody else's kind stays what it is, with its methods: a query builder runs at its `then` and not before, a client's
 * promise has `withResponse()`. Whichever of its methods brings the result ends the span.
 */
function watchForeign<T extends PromiseLike<unknown>>(thenable: T, open: OpenSpan, watching: Watching): T {
  const proxy: T = new Proxy(thenable, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      if (key === "then") {
        return (onValue?: (value: unknown) => unknown, onError?: (error: unknown) => unknown) =>
          open.run(() => settle(target, open, watching)).then(onValue, onError);
      }
      if (key === "catch" || key === "finally") {
        return (handler: () => unknown) => toPromise(proxy)[key](handler);
      }
      return (...args: unknown[]): unknown => {
        const result: unknown = open.run(() => Reflect.apply(member, target, args) as unknown);
        if (result === target) return proxy;
        return isThenable(result) ? watchThenable(result, open, watching) : result;
      };
    },
  });
  return proxy;
}

async function toPromise(thenable: PromiseLike<unknown>): Promise<unknown> {
  return await thenable;
}
