/**
 * Job: a WeftSpan over a span that is not ours: one of another SDK, or one that is not recorded.
 * Owns: nothing; the span it stands for is the one in the context.
 */
import { trace } from "@opentelemetry/api";
import type {
  Attributes,
  AttributeValue,
  Context,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
} from "@opentelemetry/api";
import { contextWithSpan } from "../context/context-with-span.ts";
import type { Outcome } from "../vocabulary.ts";
import { setInputs, setOutcome, setOutputs, setTokenUsage } from "./span-values.ts";
import type { TokenUsage, WeftSpan } from "./weft-span.ts";

export class DelegatingSpan implements WeftSpan {
  readonly span: Span;
  readonly context: Context;

  constructor(span: Span, parentContext: Context) {
    this.span = span;
    this.context =
      trace.getSpan(parentContext) === span ? parentContext : contextWithSpan(parentContext, span);
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  get spanId(): string {
    return this.span.spanContext().spanId;
  }

  spanContext(): SpanContext {
    return this.span.spanContext();
  }

  isRecording(): boolean {
    return this.span.isRecording();
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.span.setAttribute(key, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    this.span.setAttributes(attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    this.span.addEvent(name, attributesOrTime, time);
    return this;
  }

  addLink(link: Link): this {
    this.span.addLink(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.span.addLinks(links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.span.setStatus(status);
    return this;
  }

  updateName(name: string): this {
    this.span.updateName(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.span.recordException(exception, time);
  }

  end(endTime?: TimeInput): void {
    this.span.end(endTime);
  }

  setInputs(inputs: unknown): this {
    setInputs(this.span, inputs);
    return this;
  }

  setOutputs(outputs: unknown): this {
    setOutputs(this.span, outputs);
    return this;
  }

  setTokenUsage(usage: TokenUsage): this {
    setTokenUsage(this.span, usage);
    return this;
  }

  outcome(outcome: Outcome): this {
    setOutcome(this.span, outcome);
    return this;
  }

  [Symbol.dispose](): void {
    this.span.end();
  }
}
