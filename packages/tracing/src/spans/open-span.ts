import { createContextKey, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Attributes, Context, Link, Span } from "@opentelemetry/api";
import { errorText, errorType } from "../content/error-text.ts";
import { activeContext, runInContext } from "../context/active-context.ts";
import { contextWithValue } from "../context/context-with-span.ts";
import { inheritedAttributes } from "../context/inherited.ts";
import { noteForeignStart } from "../live/foreign-starts.ts";
import { Attr, Outcomes, SpanTypes } from "../vocabulary.ts";
import type { Outcome } from "../vocabulary.ts";
import { currentTracer } from "./current-tracer.ts";
import { DelegatingSpan } from "./delegating-span.ts";
import { noteRoot } from "./last-trace.ts";
import { RecordingSpan } from "./recording-span.ts";
import type { WeftSpan } from "./weft-span.ts";

export interface SpanDefinition {
  readonly name: string;
  /** `weft.span.type`: one of `SpanTypes`, or a user's own. */
  readonly type?: string | undefined;
  /** Default: INTERNAL. */
  readonly kind?: SpanKind | undefined;
  readonly attributes?: Attributes | undefined;
  /** Default: the active context. */
  readonly parent?: Context | undefined;
  readonly links?: readonly Link[] | undefined;
  /** A new trace, whatever `parent` holds. */
  readonly root?: boolean | undefined;
}

/** A span for streams and callbacks, whose end is not the end of one function. */
export interface OpenSpan {
  readonly span: WeftSpan;
  /** Runs `fn` with the span active. */
  run<T>(fn: () => T): T;
  /** Ends the span by what was thrown: an abort is `cancelled`, all else an error. */
  fail(error: unknown): void;
  /** Ends the span. Only the first of `end` and `fail` counts. */
  end(outcome?: Outcome): void;
}

export function openSpan(definition: SpanDefinition): OpenSpan {
  return new SpanInHand(startWeftSpan(definition));
}

/** Runs `fn` inside a span that ends when the promise settles, as an error when it rejects. */
export async function instrument<T>(
  definition: SpanDefinition,
  fn: (span: WeftSpan) => T | Promise<T>,
): Promise<Awaited<T>> {
  const open = openSpan(definition);
  try {
    const result = await open.run(() => fn(open.span));
    open.end();
    return result;
  } catch (error) {
    open.fail(error);
    throw error;
  }
}

export function startWeftSpan(definition: SpanDefinition): WeftSpan {
  const { name, type, kind, attributes, links, root } = definition;
  const parent = withStep(definition.parent ?? activeContext(), type);
  const options = {
    kind: kind ?? SpanKind.INTERNAL,
    attributes: attributes ?? none,
    links: links === undefined ? [] : [...links],
    root: root === true,
  };
  const span = asWeftSpan(currentTracer().startSpan(name, options, parent), parent);
  if (type !== undefined) span.setAttribute(Attr.spanType, type);
  if (root === true || trace.getSpan(parent) === undefined) noteRoot(span.traceId);
  return span;
}

const none: Attributes = Object.freeze({});
const stepKey = createContextKey("weft.step");

/** Agents say what they do by Weft's own types; whoever records the same step further in asks, and leaves it to them. */
function withStep(context: Context, type: string | undefined): Context {
  if (type !== SpanTypes.llm && type !== SpanTypes.tool && type !== SpanTypes.agent) return context;
  return context.getValue(stepKey) === type ? context : contextWithValue(context, stepKey, type);
}

/** The step of a Weft turn that `context` is in: `agent`, `llm`, `tool`; undefined outside. */
export function stepOf(context: Context = activeContext()): string | undefined {
  return context.getValue(stepKey) as string | undefined;
}

/** Any span of the api as a WeftSpan; ours are that already. */
export function asWeftSpan(span: Span, parent: Context): WeftSpan {
  if (span instanceof RecordingSpan || span instanceof DelegatingSpan) return span;
  if (span.isRecording()) {
    span.setAttributes(inheritedAttributes(parent));
    noteForeignStart(span);
  }
  return new DelegatingSpan(span, parent);
}

/** Whether somebody gave the work up, rather than the work failing. */
export function isAbort(error: unknown): boolean {
  return typeof error === "object" && error !== null && "name" in error && error.name === "AbortError";
}

class SpanInHand implements OpenSpan {
  readonly span: WeftSpan;
  #ended = false;

  constructor(span: WeftSpan) {
    this.span = span;
  }

  run<T>(fn: () => T): T {
    return runInContext(this.span.context, fn);
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    if (isAbort(error)) return this.end(Outcomes.cancelled);
    failSpan(this.span, error);
    this.end();
  }

  end(outcome?: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    if (outcome !== undefined) this.span.outcome(outcome);
    this.span.end();
  }
}

/** Status ERROR, `error.type` and one exception event. */
export function failSpan(span: WeftSpan, error: unknown): void {
  span.setAttribute(Attr.errorType, errorType(error));
  span.recordException(
    error instanceof Error ? error : { message: errorText(error), name: errorType(error) },
  );
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorText(error) });
}
