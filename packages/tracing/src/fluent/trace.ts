import type { Attributes } from "@opentelemetry/api";
import { openSpan } from "../spans/open-span.ts";
import { withOperation } from "./span-options.ts";
import { runInSpan } from "./run-in-span.ts";

/** Any function. `never` is what every list of parameters accepts. */
export type AnyFunction = (...args: never[]) => unknown;

export interface TraceOptions<F extends AnyFunction = AnyFunction> {
  /** Default: the function's name. */
  readonly name?: string;
  /** One of `SpanType`, or any string. */
  readonly spanType?: string;
  readonly attributes?: Attributes;
  /** What to record as inputs. Default: a sole plain object as it is, else `{ args }`. */
  readonly inputs?: (...args: Parameters<F>) => unknown;
  /**
   * What to record as outputs. Default: the result; of a generator, the list of what it yielded, and then this reduces the chunks to one
   * value: `(chunks) => chunks.join("")`. Without it no more than the first 1,000 chunks are kept.
   */
  readonly outputs?: (result: unknown) => unknown;
}

type MethodDecorator = <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext) => F;

/** The function with each call in a span of its own. As a decorator: `@trace` or `@trace({ name })` on a method. */
export function trace<F extends AnyFunction>(
  fn: F,
  options?: TraceOptions<F> | ClassMethodDecoratorContext,
): F;
export function trace(options: TraceOptions): MethodDecorator;
export function trace<F extends AnyFunction>(
  first: F | TraceOptions,
  second?: TraceOptions<F> | ClassMethodDecoratorContext,
): F | MethodDecorator {
  if (typeof first === "function")
    return isDecorator(second) ? decorate(first, second, {}) : wrap(first, second ?? {});
  return <M extends AnyFunction>(method: M, context: ClassMethodDecoratorContext): M =>
    decorate(method, context, first);
}

function isDecorator(value: object | undefined): value is ClassMethodDecoratorContext {
  return value !== undefined && "kind" in value && "addInitializer" in value;
}

function decorate<F extends AnyFunction>(
  method: F,
  context: ClassMethodDecoratorContext,
  options: TraceOptions,
): F {
  return wrap<F>(method, { name: String(context.name), ...options });
}

function wrap<F extends AnyFunction>(fn: F, options: TraceOptions<F>): F {
  const name = options.name ?? (fn.name === "" ? "anonymous" : fn.name);
  const { spanType, attributes, inputs = defaultInputs, outputs = identity } = options;
  const traced = function (this: unknown, ...args: Parameters<F>): unknown {
    const onResult = (result: unknown): void => quietly(() => open.span.setOutputs(outputs(result)));
    const open = openSpan({ name, type: spanType, attributes: withOperation(spanType, attributes) });
    if (!open.span.isRecording()) return runInSpan(open, () => Reflect.apply(fn, this, args));
    quietly(() => open.span.setInputs(inputs(...args)));
    return runInSpan(open, () => Reflect.apply(fn, this, args), { onResult, keepAll: outputs !== identity });
  };
  Object.defineProperty(traced, "name", { value: fn.name, configurable: true });
  Object.defineProperty(traced, "length", { value: fn.length, configurable: true });
  return traced as unknown as F;
}

function defaultInputs(...args: readonly unknown[]): unknown {
  const [only] = args;
  return args.length === 1 && isPlainObject(only) ? only : { args };
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function identity(value: unknown): unknown {
  return value;
}

/** What a user's function for recording throws must not break the call that is recorded. */
function quietly(fn: () => unknown): void {
  try {
    fn();
  } catch {
    // Nothing is recorded then.
  }
}
