/**
 * A context with a span in it, which is what most contexts are. The api's own copies a map for every value that is set; this is one small
 * object, and however deep spans are nested it holds one span and what was there without any.
 */
import { trace } from "@opentelemetry/api";
import type { Context, Span } from "@opentelemetry/api";
import { LinkedContext } from "./linked-context.ts";

/** The api does not give its key away, but it says it to whoever is asked to set it. */
const spanKey = askForSpanKey();

function askForSpanKey(): symbol {
  let asked: symbol | undefined;
  const listener: Context = {
    getValue: () => undefined,
    setValue: (key) => {
      asked = key;
      return listener;
    },
    deleteValue: () => listener,
  };
  trace.setSpanContext(listener, { traceId: "", spanId: "", traceFlags: 0 });
  return asked ?? Symbol("no span key");
}

/** As `trace.setSpan`. */
export function contextWithSpan(parent: Context, span: Span): Context {
  return new ContextWithSpan(parent instanceof ContextWithSpan ? parent.base : parent, span);
}

/**
 * `parent` with `value` under `key`, cheaply ({@link LinkedContext}). Below its span, if it has one: so spans and values that
 * are nested in turn keep no span but the last, and a look-up stays as short as without spans.
 */
export function contextWithValue(parent: Context, key: symbol, value: unknown): Context {
  if (!(parent instanceof ContextWithSpan)) return LinkedContext.over(parent, key, value);
  return new ContextWithSpan(LinkedContext.over(parent.base, key, value), parent.span);
}

class ContextWithSpan implements Context {
  /** All but the span. */
  readonly base: Context;
  readonly span: Span;

  constructor(base: Context, span: Span) {
    this.base = base;
    this.span = span;
  }

  getValue(key: symbol): unknown {
    return key === spanKey ? this.span : this.base.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    const base = this.base.setValue(key, value);
    return key === spanKey ? base : new ContextWithSpan(base, this.span);
  }

  deleteValue(key: symbol): Context {
    const base = this.base.deleteValue(key);
    return key === spanKey ? base : new ContextWithSpan(base, this.span);
  }
}
