/**
 * Job: spans that are started in one place and ended in another, by their ids.
 * Owns: the spans of traces that a client started, until their trace ends.
 * I1. A trace that ends takes its open spans along, children before parents.
 * I2. No more than 10,000 traces wait for their end: of more the oldest is ended as abandoned.
 */
import { SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import type { Attributes, Context } from "@opentelemetry/api";
import { WeftError } from "../errors/weft-error.ts";
import { withOperation } from "../fluent/span-options.ts";
import { startWeftSpan } from "../spans/open-span.ts";
import type { WeftSpan } from "../spans/weft-span.ts";
import { Outcomes } from "../vocabulary.ts";

export type EndStatus = "OK" | "ERROR" | { readonly code: "OK" | "ERROR"; readonly message?: string };

export interface SpanEnd {
  readonly outputs?: unknown;
  readonly attributes?: Attributes;
  /** Default: left unset, which is no error. */
  readonly status?: EndStatus;
}

export interface ChildSpan {
  readonly traceId: string;
  /** Default: the trace's root. It may be a span of another process. */
  readonly parentId?: string;
  readonly name: string;
  readonly spanType?: string;
  readonly attributes?: Attributes;
  readonly inputs?: unknown;
}

interface OpenTrace {
  readonly root: WeftSpan;
  /** In the order of their starts; ended ones stay, because others may name them as parents. */
  readonly spans: Map<string, WeftSpan>;
}

const maxTraces = 10_000;

export class OpenTraces {
  readonly #traces = new Map<string, OpenTrace>();

  start(name: string, spanType: string | undefined, attributes: Attributes | undefined): WeftSpan {
    const root = startWeftSpan({
      name,
      type: spanType,
      attributes: withOperation(spanType, attributes),
      parent: ROOT_CONTEXT,
      root: true,
    });
    this.#traces.set(root.traceId, { root, spans: new Map([[root.spanId, root]]) });
    if (this.#traces.size > maxTraces) this.#abandonOldest();
    return root;
  }

  startChild(child: ChildSpan): WeftSpan {
    const { name, spanType, attributes, inputs } = child;
    const span = startWeftSpan({
      name,
      type: spanType,
      attributes: withOperation(spanType, attributes),
      parent: this.#parentOf(child),
    });
    const known = this.#traces.get(child.traceId);
    if (known === undefined)
      this.#traces.set(child.traceId, { root: span, spans: new Map([[span.spanId, span]]) });
    else known.spans.set(span.spanId, span);
    if (inputs !== undefined) span.setInputs(inputs);
    return span;
  }

  end(traceId: string, spanId: string, end: SpanEnd): void {
    const span = this.#traces.get(traceId)?.spans.get(spanId);
    if (span === undefined) throw notStartedHere(`span ${spanId} of trace ${traceId}`);
    finish(span, end);
  }

  endTrace(traceId: string, end: SpanEnd): void {
    const known = this.#traces.get(traceId);
    if (known === undefined) throw notStartedHere(`trace ${traceId}`);
    this.#traces.delete(traceId);
    for (const span of [...known.spans.values()].reverse()) if (span !== known.root) span.end();
    finish(known.root, end);
  }

  #parentOf({ traceId, parentId }: ChildSpan): Context {
    const known = this.#traces.get(traceId);
    const parent = parentId === undefined ? known?.root : known?.spans.get(parentId);
    if (parent !== undefined) return parent.context;
    if (parentId === undefined) throw notStartedHere(`trace ${traceId}`);
    const spanContext = { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
    if (!trace.isSpanContextValid(spanContext)) {
      throw new WeftError("invalid_argument", "traceId has 32 and parentId 16 hex digits, in lower case.");
    }
    return trace.setSpanContext(ROOT_CONTEXT, spanContext);
  }

  #abandonOldest(): void {
    for (const [traceId, { spans }] of this.#traces) {
      this.#traces.delete(traceId);
      for (const span of [...spans.values()].reverse()) span.outcome(Outcomes.abandoned).end();
      return;
    }
  }
}

function finish(span: WeftSpan, { outputs, attributes, status }: SpanEnd): void {
  if (attributes !== undefined) span.setAttributes(attributes);
  if (outputs !== undefined) span.setOutputs(outputs);
  if (status !== undefined) {
    const { code, message } = typeof status === "string" ? { code: status, message: undefined } : status;
    span.setStatus({ code: SpanStatusCode[code], ...(message === undefined ? {} : { message }) });
  }
  span.end();
}

function notStartedHere(what: string): WeftError {
  return new WeftError("not_found", `No open ${what} was started in this process.`);
}
