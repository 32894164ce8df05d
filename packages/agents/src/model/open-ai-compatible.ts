import { WeftError } from "@weft/tracing";
import type { ChatModel, ModelCallOptions, ModelPart, ModelRequest, ModelResponse } from "./chat-model.ts";
import type { OpenAICompatibleOptions } from "./open-ai-http.ts";
import { post, readChunks, readJson } from "./open-ai-http.ts";
import { responsesPort } from "./open-ai-responses.ts";
import type { WireCompletion, WireMessage } from "./open-ai-wire.ts";
import { ToolCallAssembler, fromWireFinish, fromWireUsage, toWireRequest } from "./open-ai-wire.ts";

export type { OpenAICompatibleOptions } from "./open-ai-http.ts";

/** A model behind any host that speaks OpenAI's Chat Completions or Responses. */
export function openaiCompatible(options: OpenAICompatibleOptions): ChatModel {
  const { model, baseURL = "https://api.openai.com/v1" } = options;
  if (!model) throw new WeftError("invalid_argument", "openaiCompatible needs the name of a model.");
  if (!URL.canParse(baseURL)) throw new WeftError("invalid_argument", `baseURL "${baseURL}" is not a URL.`);
  const host = new URL(baseURL);
  const base = baseURL.replace(/\/+$/u, "");
  const port = options.api === "responses" ? responsesPort(base, options) : completionsPort(base, options);
  return {
    provider: options.provider ?? "openai",
    modelId: model,
    server: { address: host.hostname, ...(host.port ? { port: Number(host.port) } : {}) },
    supportsStructuredOutput: options.supportsStructuredOutput ?? false,
    price: options.price,
    ...port,
  };
}

function completionsPort(
  base: string,
  options: OpenAICompatibleOptions,
): Pick<ChatModel, "generate" | "stream"> {
  const url = `${base}/chat/completions`;
  const { model } = options;
  return {
    async generate(request, call) {
      const response = await post(url, toWireRequest(model, request), options, request.settings, call);
      return fromCompletion((await readJson(response)) as WireCompletion);
    },
    stream: (request, call) => streamCompletion(url, model, options, request, call),
  };
}

function fromCompletion(completion: WireCompletion): ModelResponse {
  refuseError(completion);
  const [choice] = completion.choices ?? [];
  if (!choice?.message) throw new WeftError("model_failed", "The model host's answer holds no choice.");
  const draft = new Draft();
  draft.add(choice.message);
  return draft.finish(completion, choice.finish_reason);
}

function refuseError({ error }: WireCompletion): void {
  if (!error) return;
  const message = typeof error === "string" ? error : error.message;
  throw new WeftError("model_failed", `The model host reported: ${message ?? "an error without a message"}`);
}

/** An answer as it grows. */
class Draft {
  text = "";
  reasoning = "";
  readonly #calls = new ToolCallAssembler();

  add(piece: WireMessage): { readonly text: string; readonly reasoning: string } {
    const text = piece.content ?? piece.refusal ?? "";
    const reasoning = piece.reasoning_content ?? piece.reasoning ?? "";
    this.text += text;
    this.reasoning += reasoning;
    for (const [index, call] of (piece.tool_calls ?? []).entries()) this.#calls.add(call, index);
    return { text, reasoning };
  }

  finish(from: WireCompletion, finishReason: string | null | undefined): ModelResponse {
    const toolCalls = this.#calls.finish();
    const usage = fromWireUsage(from.usage);
    return {
      ...(from.id ? { id: from.id } : {}),
      ...(from.model ? { model: from.model } : {}),
      text: this.text,
      ...(this.reasoning ? { reasoning: this.reasoning } : {}),
      toolCalls,
      finishReason: fromWireFinish(finishReason, toolCalls.length > 0),
      ...(usage ? { usage } : {}),
    };
  }
}

async function* streamCompletion(
  url: string,
  model: string,
  options: OpenAICompatibleOptions,
  request: ModelRequest,
  call: ModelCallOptions,
): AsyncGenerator<ModelPart> {
  const body = { ...toWireRequest(model, request), stream: true, stream_options: { include_usage: true } };
  const response = await post(url, body, options, request.settings, call);
  if (!response.body) throw new WeftError("model_failed", "The model host's stream has no body.");
  const draft = new Draft();
  let last: WireCompletion = {};
  let finishReason: string | null | undefined;
  let isComplete = false;
  for await (const data of readChunks(response.body, call.signal)) {
    if (data === "[DONE]") {
      isComplete = true;
      break;
    }
    const chunk = parseChunk(data);
    last = { ...last, ...chunk, usage: chunk.usage ?? last.usage ?? null };
    const [choice] = chunk.choices ?? [];
    finishReason = choice?.finish_reason ?? finishReason;
    if (!choice?.delta) continue;
    const { text, reasoning } = draft.add(choice.delta);
    if (reasoning) yield { type: "reasoning-delta", text: reasoning };
    if (text) yield { type: "text-delta", text };
  }
  // A host may leave `[DONE]` out; a stream that neither said it nor why it stopped was cut.
  if (!isComplete && !finishReason)
    throw new WeftError("unavailable", "The model's stream broke off before its end.");
  yield { type: "finish", response: draft.finish(last, finishReason) };
}

function parseChunk(data: string): WireCompletion {
  let chunk: WireCompletion;
  try {
    chunk = JSON.parse(data) as WireCompletion;
  } catch (cause) {
    throw new WeftError("model_failed", "The model host sent an event that is not JSON.", { cause });
  }
  refuseError(chunk);
  return chunk;
}
