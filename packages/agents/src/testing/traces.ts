/*
 * Traces in tests: spans kept in memory, and one trace as a tree.
 */
import { WeftError } from "@weft/tracing";
import type { CapturedSpan, SpanCapture } from "@weft/tracing/internal";
import { captureSpans } from "@weft/tracing/internal";

const captures = new Set<SpanCapture>();

/** Keeps the spans that end from now on, until disposed: `using _ = captureTraces()`. Installs tracing if there is none. */
export function captureTraces(): Disposable {
  const capture = captureSpans();
  captures.add(capture);
  return {
    [Symbol.dispose]() {
      captures.delete(capture);
      capture[Symbol.dispose]();
    },
  };
}

/** A span with its children, in order of their start. */
export interface SpanNode {
  readonly span: CapturedSpan;
  readonly name: string;
  readonly attributes: CapturedSpan["attributes"];
  readonly children: readonly SpanNode[];
}

export interface TraceTree {
  /** Raises `failed_precondition` when the trace has not exactly one root. */
  readonly root: SpanNode;
  readonly roots: readonly SpanNode[];
  /** Spans whose parent was not captured. */
  readonly orphans: readonly SpanNode[];
  /** All spans, in order of their start: what `replayModel` takes. */
  readonly spans: readonly CapturedSpan[];
  /** All spans of this name, or whose name begins with it and a space, in order of their start. */
  find(name: string): readonly SpanNode[];
  /** One line a span, indented. */
  toText(): string;
}

/** The captured trace of a result. Raises `failed_precondition` when nothing captures. */
export function traceOf({ traceId }: { readonly traceId?: string | undefined }): TraceTree {
  if (captures.size === 0 || traceId === undefined) {
    throw new WeftError(
      "failed_precondition",
      "Nothing was captured: put `using _ = captureTraces()` before the run.",
    );
  }
  const spans = new Map<string, CapturedSpan>();
  for (const capture of captures) {
    for (const span of capture.spans()) if (span.traceId === traceId) spans.set(span.spanId, span);
  }
  return toTree([...spans.values()].sort((a, b) => a.startTime - b.startTime));
}

function toTree(spans: readonly CapturedSpan[]): TraceTree {
  const children = new Map<string, SpanNode[]>(spans.map(({ spanId }) => [spanId, []]));
  const nodes = spans.map((span): SpanNode => {
    return { span, name: span.name, attributes: span.attributes, children: children.get(span.spanId) ?? [] };
  });
  const roots: SpanNode[] = [];
  const orphans: SpanNode[] = [];
  for (const node of nodes) {
    const { parentSpanId } = node.span;
    if (!parentSpanId) roots.push(node);
    else (children.get(parentSpanId) ?? orphans).push(node);
  }
  return {
    get root() {
      const [root, another] = roots;
      if (root && !another) return root;
      throw new WeftError("failed_precondition", `The trace has ${roots.length} roots, not one.`);
    },
    roots,
    orphans,
    spans,
    find: (name) => nodes.filter((node) => node.name === name || node.name.startsWith(`${name} `)),
    toText: () => [...roots, ...orphans].flatMap((node) => lines(node, "")).join("\n"),
  };
}

function lines({ name, children }: SpanNode, indent: string): readonly string[] {
  return [`${indent}${name}`, ...children.flatMap((child) => lines(child, `${indent}  `))];
}
