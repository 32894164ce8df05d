import type { Attributes, Context, Link, Span, SpanKind } from "@opentelemetry/api";
import { activeContext } from "../context/active-context.ts";
import { contextWithSpan } from "../context/context-with-span.ts";
import { Attr, Operations, SpanType } from "../vocabulary.ts";
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
  return {
    name,
    type: spanType,
    attributes: withOperation(spanType, attributes),
    parent: toContext(parent),
    kind,
    links,
  };
}

const operations: Readonly<Record<string, string>> = {
  [SpanType.LLM]: Operations.chat,
  [SpanType.CHAT_MODEL]: Operations.chat,
  [SpanType.AGENT]: Operations.invokeAgent,
  [SpanType.TOOL]: Operations.executeTool,
  [SpanType.RETRIEVER]: Operations.retrieval,
  [SpanType.EMBEDDING]: Operations.embeddings,
};

/** What MLflow calls a span's type the conventions call its operation, where they know it: readers of either find theirs. */
export function withOperation(
  spanType: string | undefined,
  attributes: Attributes | undefined,
): Attributes | undefined {
  const operation = spanType === undefined ? undefined : operations[spanType];
  return operation === undefined ? attributes : { [Attr.operationName]: operation, ...attributes };
}

function toContext(parent: Span | Context | undefined): Context | undefined {
  if (parent === undefined) return undefined;
  return "spanContext" in parent ? contextWithSpan(activeContext(), parent) : parent;
}
