import type { Context, Span } from "@opentelemetry/api";
import type { Outcome } from "../vocabulary.ts";

/** Tokens of one model call. `inputTokens` includes those read from and written to a cache. */
export interface TokenUsage {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly cacheReadTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
}

/** OpenTelemetry's span with what people who read traces of agents need. */
export interface WeftSpan extends Span, Disposable {
  readonly traceId: string;
  readonly spanId: string;
  /** The context in which this span is active. */
  readonly context: Context;
  /** Any value, as JSON under the content policy. */
  setInputs(inputs: unknown): this;
  /** Any value, as JSON under the content policy. */
  setOutputs(outputs: unknown): this;
  setTokenUsage(usage: TokenUsage): this;
  /** Where the end is not plain. `lost` makes the span an error, the others do not. */
  outcome(outcome: Outcome): this;
}
