import type { AgentMessage, ToolCall } from "@weft/runtime/agent";
import type { WeftError } from "@weft/tracing";

/** Tokens of one call. `inputTokens` includes cached ones, `outputTokens` includes reasoning. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
}

/** Settings of a model call; what is absent is the provider's default. */
export interface ModelSettings {
  readonly temperature?: number;
  readonly topP?: number;
  readonly maxOutputTokens?: number;
  readonly stopSequences?: readonly string[];
  readonly toolChoice?: ToolChoice;
  /** Milliseconds until the first byte of an answer; default 60,000. */
  readonly timeoutMs?: number;
  /** Repeats after a refusal that may pass (429, 5xx, no connection); default 2. */
  readonly maxRetries?: number;
  /** Handed to the provider as it is. */
  readonly providerOptions?: Readonly<Record<string, unknown>>;
}

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** JSON Schema. */
  readonly parameters: { readonly [keyword: string]: unknown };
}

export interface ResponseFormat {
  readonly name: string;
  /** JSON Schema. */
  readonly schema: { readonly [keyword: string]: unknown };
}

export interface ModelRequest {
  readonly system?: string;
  /**
   * The agent's view: its own messages have the role `assistant`. Not to be changed, and to be copied by who keeps it: it is
   * the history itself, which goes on after the call.
   */
  readonly messages: readonly AgentMessage[];
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  readonly responseFormat?: ResponseFormat;
  readonly settings?: ModelSettings;
}

/** `stop`, `length`, `tool_calls`, `content_filter`, or what the provider said. */
export type FinishReason = string;

export interface ModelResponse {
  /** The provider's id of the answer. */
  readonly id?: string;
  /** The model that answered, where the provider says so. */
  readonly model?: string;
  readonly text: string;
  readonly reasoning?: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  /** Undefined when the provider reported none: unknown is not 0. */
  readonly usage?: ModelUsage;
  /** It came from a cache: nothing was spent. */
  readonly cacheHit?: boolean;
  /** Of several models, the one that answered: its prices count. */
  readonly answeredBy?: ChatModel;
}

/** USD per million tokens. */
export interface TokenRates {
  readonly input: number;
  readonly output: number;
  /** Default: as `input`. */
  readonly cacheRead?: number;
  /** Default: as `input`. */
  readonly cacheWrite?: number;
}

export interface ModelPrice extends TokenRates {
  /** The rates of a whole call whose input has more than `over` tokens, cached ones included. Default: the same. */
  readonly longInput?: TokenRates & { readonly over: number };
}

/** What a streaming model yields: pieces, then exactly one `finish` that holds the whole. */
export type ModelPart =
  | { readonly type: "text-delta"; readonly text: string }
  | { readonly type: "reasoning-delta"; readonly text: string }
  | { readonly type: "finish"; readonly response: ModelResponse };

export interface ModelCallOptions {
  readonly signal: AbortSignal;
  /** To be told of each attempt that failed and is followed by another, so that it shows in the trace. */
  readonly onFailedAttempt?: ((attempt: FailedAttempt) => void) | undefined;
}

/** A part of a model call that came to nothing, while the call goes on. */
export interface FailedAttempt {
  readonly error: WeftError;
  /** Milliseconds until the same host is asked again. */
  readonly waitMs?: number;
  /** The model that is asked instead; absent when the same one is asked again. */
  readonly next?: ChatModel;
}

/**
 * A chat model. Both methods reject with a `WeftError` (`model_failed`, `unavailable`, `deadline_exceeded`, …)
 * and with an AbortError when `signal` fires.
 */
export interface ChatModel {
  /** The provider's name as the GenAI conventions write it: `openai`, `anthropic`, … */
  readonly provider: string;
  readonly modelId: string;
  /** Where requests go, for the trace. */
  readonly server?: { readonly address: string; readonly port?: number };
  /** Whether `responseFormat` is obeyed; default false. */
  readonly supportsStructuredOutput?: boolean;
  /** It asks other models and keeps each one's time (`timeoutMs`) itself; default false. */
  readonly isComposite?: boolean;
  /** What its tokens cost; default: what the price table says of its name. */
  readonly price?: ModelPrice | undefined;
  generate(request: ModelRequest, options: ModelCallOptions): Promise<ModelResponse>;
  stream(request: ModelRequest, options: ModelCallOptions): AsyncIterable<ModelPart>;
}

export function isChatModel(value: unknown): value is ChatModel {
  const candidate = value as Partial<ChatModel> | null;
  return (
    typeof candidate?.generate === "function" &&
    typeof candidate.stream === "function" &&
    typeof candidate.modelId === "string"
  );
}
