import { trace as traceApi } from "@opentelemetry/api";
import { activeContext } from "../context/active-context.ts";
import { traceIdOf } from "../context/span-in-context.ts";
import { lastRootTraceId } from "../spans/last-trace.ts";
import { asWeftSpan, openSpan, startWeftSpan } from "../spans/open-span.ts";
import type { WeftSpan } from "../spans/weft-span.ts";
import { runInSpan } from "./run-in-span.ts";
import { toDefinition } from "./span-options.ts";
import type { SpanOptions } from "./span-options.ts";

/** Runs `fn` inside a span that ends with it: a value, a promise or a generator. What it throws makes the span an error. */
export function withSpan<T>(options: string | SpanOptions, fn: (span: WeftSpan) => T): T {
  const open = openSpan(toDefinition(options));
  if (typeof options === "object" && options.inputs !== undefined) open.span.setInputs(options.inputs);
  return runInSpan(open, () => fn(open.span));
}

/** A span that you end, by `end()` or `using`. It is not active: give it to `parent` or run code in `span.context`. */
export function startSpan(options: string | SpanOptions): WeftSpan {
  const span = startWeftSpan(toDefinition(options));
  if (typeof options === "object" && options.inputs !== undefined) span.setInputs(options.inputs);
  return span;
}

/** The active span, whoever opened it; undefined when there is none. */
export function getCurrentActiveSpan(): WeftSpan | undefined {
  const context = activeContext();
  const span = traceApi.getSpan(context);
  return span === undefined ? undefined : asWeftSpan(span, context);
}

/**
 * The trace of the active span; without one, the trace that this line of execution began last, whatever runs beside it. Code that cannot
 * know which of several was its own, because its trace began behind an `await` while others ran, is told none.
 */
export function getLastActiveTraceId(): string | undefined {
  return traceIdOf() ?? lastRootTraceId();
}
