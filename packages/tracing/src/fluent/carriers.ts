import type { Context } from "@opentelemetry/api";
import { activeContext, bindContext as bindTo, runInContext } from "../context/active-context.ts";
import { contextFrom, injectCarrier } from "../context/carrier.ts";
import type { HeaderSource } from "../context/carrier.ts";

/** Writes `traceparent`, `tracestate` and allowed baggage of `context` into `carrier`, a record or `Headers`, and returns it. */
export function inject<C extends Record<string, unknown> | Headers>(carrier: C, context?: Context): C;
export function inject(): Record<string, string>;
export function inject(
  carrier: Record<string, unknown> | Headers = {},
  context: Context = activeContext(),
): unknown {
  for (const [key, value] of Object.entries(injectCarrier(context))) {
    if (carrier instanceof Headers) carrier.set(key, value);
    else carrier[key] = value;
  }
  return carrier;
}

/** The context that headers carry, to be a span's `parent`. What is missing or malformed gives a context without a span. */
export function extract(carrier: HeaderSource | Headers): Context {
  return contextFrom(carrier instanceof Headers ? (name) => carrier.get(name) ?? undefined : carrier);
}

/** Runs `fn` with `context` active. */
export function withContext<T>(context: Context, fn: () => T): T {
  return runInContext(context, fn);
}

/** A function, or the listeners of an emitter, that runs in `context` (default: the active one) whoever calls it. */
export function bindContext<T>(target: T, context: Context = activeContext()): T {
  return bindTo(context, target);
}
