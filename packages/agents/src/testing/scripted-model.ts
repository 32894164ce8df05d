/*
 * scriptedModel: a model that says what a test wrote.
 *
 * Job: answers each call with the next reply; notes what it was asked.
 * Owns: the replies left, the calls made. Does not own: anything outside the process.
 *
 * I1  A call beyond the script is an error; so are replies left over, to `done()` and `using`.
 * I2  It honours its signal, also while it delays.
 */
import { WeftError } from "@weft/tracing";
import type {
  ChatModel,
  ModelPart,
  ModelPrice,
  ModelRequest,
  ModelResponse,
  ModelUsage,
} from "../model/chat-model.ts";

export interface ScriptedToolCall {
  readonly name: string;
  /** An object, or the JSON text as a model would write it, valid or not. */
  readonly arguments: unknown;
  readonly id?: string;
}

export interface ScriptedAnswer {
  readonly text?: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly ScriptedToolCall[];
  readonly usage?: Partial<ModelUsage>;
  readonly finishReason?: string;
  /** Milliseconds before the first part. */
  readonly delayMs?: number;
}

export type ScriptedReply = string | ScriptedAnswer | { readonly error: unknown };
export type ScriptedStep =
  | ScriptedReply
  | ((request: ModelRequest) => ScriptedReply | Promise<ScriptedReply>);

export interface ScriptedModelOptions {
  /** Default `scripted`. */
  readonly modelId?: string;
  /** Default `weft.test`. */
  readonly provider?: string;
  readonly supportsStructuredOutput?: boolean;
  readonly price?: ModelPrice;
}

export interface ScriptedModel extends ChatModel, Disposable {
  /** What it was asked, in order; each with the messages as they were then. */
  readonly calls: readonly ModelRequest[];
  /** Raises `failed_precondition` when replies are left. */
  done(): void;
}

export function scriptedModel(
  script: readonly ScriptedStep[],
  options: ScriptedModelOptions = {},
): ScriptedModel {
  const { modelId = "scripted", provider = "weft.test", supportsStructuredOutput = false } = options;
  const calls: ModelRequest[] = [];
  const next = async (request: ModelRequest, signal: AbortSignal): Promise<ModelResponse> => {
    const index = calls.push({ ...request, messages: [...request.messages] }) - 1;
    const step = script[index];
    if (step === undefined) {
      throw new WeftError("failed_precondition", `scriptedModel: call ${index + 1} was not expected.`);
    }
    return toResponse(typeof step === "function" ? await step(request) : step, modelId, index, signal);
  };
  const done = (): void => {
    if (calls.length >= script.length) return;
    const left = script.length - calls.length;
    throw new WeftError(
      "failed_precondition",
      `scriptedModel: ${left} of ${script.length} replies were never asked for.`,
    );
  };
  return {
    modelId,
    provider,
    supportsStructuredOutput,
    price: options.price,
    calls,
    done,
    [Symbol.dispose]: done,
    generate: (request, { signal }) => next(request, signal),
    async *stream(request, { signal }): AsyncGenerator<ModelPart> {
      const response = await next(request, signal);
      if (response.reasoning) yield { type: "reasoning-delta", text: response.reasoning };
      for (const text of words(response.text)) {
        signal.throwIfAborted();
        yield { type: "text-delta", text };
      }
      yield { type: "finish", response };
    },
  };
}

async function toResponse(
  reply: ScriptedReply,
  model: string,
  call: number,
  signal: AbortSignal,
): Promise<ModelResponse> {
  if (typeof reply === "object" && "error" in reply) throw reply.error;
  const answer = typeof reply === "string" ? { text: reply } : reply;
  if (answer.delayMs) await delay(answer.delayMs, signal);
  signal.throwIfAborted();
  const toolCalls = (answer.toolCalls ?? []).map((each, index) => ({
    id: each.id ?? `call_${call + 1}_${index + 1}`,
    name: each.name,
    arguments: typeof each.arguments === "string" ? each.arguments : JSON.stringify(each.arguments ?? {}),
  }));
  return {
    model,
    text: answer.text ?? "",
    ...(answer.reasoning ? { reasoning: answer.reasoning } : {}),
    toolCalls,
    finishReason: answer.finishReason ?? (toolCalls.length > 0 ? "tool_calls" : "stop"),
    ...(answer.usage ? { usage: { inputTokens: 0, outputTokens: 0, ...answer.usage } } : {}),
  };
}

/** Words with the space before them: a stream has several parts, as a model's has. */
export function words(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/gu) ?? [];
}

/** Rejects with the signal's reason when that fires first. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
