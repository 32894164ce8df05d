import { trace } from "@opentelemetry/api";
import type { Attributes, Context, Link, Span, SpanKind } from "@opentelemetry/api";
import { activeContext } from "../context/active-context.ts";
import type { SpanDefinition } from "../spans/open-span.ts";

export interface SpanOptions {
  readonly name: string;
  /** One of `SpanType`, or any string. */
  readonly spanType?: string;
  readonly attributes?: Attributes;
  /** Default: the active span. */
  readonly parent?: Span | Context;
  /** Default: INTERNAL. */
  readonly kind?: SpanKind;
  readonly links?: readonly Link[];
  /** What went in: any value; recorded under the content policy. */
  readonly inputs?: unknown;
}

export function toDefinition(options: string | SpanOptions): SpanDefinition {
  if (typeof options === "string") return { name: options };
  const { name, spanType, attributes, parent, kind, links } = options;
  return { name, type: spanType, attributes, parent: toContext(parent), kind, links };
}

function toContext(parent: Span | Context | undefined): Context | undefined {
  if (parent === undefined) return undefined;
  return "spanContext" in parent ? trace.setSpan(activeContext(), parent) : parent;
}
