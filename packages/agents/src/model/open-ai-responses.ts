/*
 * OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses), as far as we speak it. Nothing is kept
 * at the host (`store: false`): each request says all.
 */
import type { AgentMessage, ContentPart, ToolCall } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { normaliseToolName } from "../tool/tool-name.ts";
import type {
  ChatModel,
  ModelCallOptions,
  ModelPart,
  ModelRequest,
  ModelResponse,
  ModelUsage,
} from "./chat-model.ts";
import type { OpenAICompatibleOptions } from "./open-ai-http.ts";
import { post, readChunks, readJson } from "./open-ai-http.ts";

interface WireItem {
  readonly type?: string;
  readonly call_id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly content?: readonly { readonly type?: string; readonly text?: string; readonly refusal?: string }[];
  readonly summary?: readonly { readonly text?: string }[];
}

interface WireResponse {
  readonly id?: string;
  readonly model?: string;
  readonly status?: string;
  readonly incomplete_details?: { readonly reason?: string } | null;
  readonly error?: { readonly message?: string } | null;
  readonly output?: readonly WireItem[];
  readonly usage?: {
    readonly input_tokens?: number;
    readonly output_tokens?: number;
    readonly input_tokens_details?: { readonly cached_tokens?: number } | null;
    readonly output_tokens_details?: { readonly reasoning_tokens?: number } | null;
  } | null;
}

interface WireEvent {
  readonly type?: string;
  readonly delta?: string;
  readonly message?: string;
  readonly response?: WireResponse;
}

export function responsesPort(
  base: string,
  options: OpenAICompatibleOptions,
): Pick<ChatModel, "generate" | "stream"> {
  const url = `${base}/responses`;
  return {
    async generate(request, call) {
      const body = toBody(options.model, request);
      const response = await post(url, body, options, request.settings, call);
      return fromResponse((await readJson(response)) as WireResponse);
    },
    stream: (request, call) => streamResponse(url, options, request, call),
  };
}

async function* streamResponse(
  url: string,
  options: OpenAICompatibleOptions,
  request: ModelRequest,
  call: ModelCallOptions,
): AsyncGenerator<ModelPart> {
  const body = { ...toBody(options.model, request), stream: true };
  const response = await post(url, body, options, request.settings, call);
  if (!response.body) throw new WeftError("model_failed", "The model host's stream has no body.");
  for await (const data of readChunks(response.body, call.signal)) {
    if (data === "[DONE]") break;
    const event = parseEvent(data);
    switch (event.type) {
      case "response.output_text.delta":
      case "response.refusal.delta":
        if (event.delta) yield { type: "text-delta", text: event.delta };
        break;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        if (event.delta) yield { type: "reasoning-delta", text: event.delta };
        break;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        yield { type: "finish", response: fromResponse(event.response ?? {}) };
        return;
      case "error":
        throw failed(event.message);
      default:
        break;
    }
  }
  throw new WeftError("unavailable", "The model's stream broke off before its end.");
}

function parseEvent(data: string): WireEvent {
  try {
    return JSON.parse(data) as WireEvent;
  } catch (cause) {
    throw new WeftError("model_failed", "The model host sent an event that is not JSON.", { cause });
  }
}

function failed(message: string | undefined): WeftError {
  return new WeftError("model_failed", `The model host reported: ${message ?? "an error without a message"}`);
}

function fromResponse(wire: WireResponse): ModelResponse {
  if (wire.error || wire.status === "failed") throw failed(wire.error?.message);
  if (!wire.output) throw new WeftError("model_failed", "The model host's answer holds no output.");
  let text = "";
  let reasoning = "";
  const toolCalls: ToolCall[] = [];
  for (const item of wire.output) {
    if (item.type === "message")
      for (const part of item.content ?? []) text += part.text ?? part.refusal ?? "";
    if (item.type === "reasoning")
      reasoning += (item.summary ?? []).map((part) => part.text ?? "").join("\n");
    if (item.type === "function_call") {
      toolCalls.push({
        id: item.call_id ?? `call_${toolCalls.length + 1}`,
        name: normaliseToolName(item.name ?? ""),
        arguments: item.arguments || "{}",
      });
    }
  }
  const usage = toUsage(wire.usage);
  return {
    ...(wire.id ? { id: wire.id } : {}),
    ...(wire.model ? { model: wire.model } : {}),
    text,
    ...(reasoning ? { reasoning } : {}),
    toolCalls,
    finishReason: finishOf(wire, toolCalls.length > 0),
    ...(usage ? { usage } : {}),
  };
}

function finishOf({ status, incomplete_details: details }: WireResponse, hasToolCalls: boolean): string {
  if (status === "incomplete")
    return details?.reason === "max_output_tokens" ? "length" : (details?.reason ?? "length");
  return hasToolCalls ? "tool_calls" : "stop";
}

function toUsage(usage: WireResponse["usage"]): ModelUsage | undefined {
  if (!usage) return undefined;
  const cacheReadTokens = usage.input_tokens_details?.cached_tokens;
  const reasoningTokens = usage.output_tokens_details?.reasoning_tokens;
  return {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}

function toBody(model: string, request: ModelRequest): Record<string, unknown> {
  const { settings = {}, tools, responseFormat, system } = request;
  const choice = request.toolChoice ?? settings.toolChoice;
  const wanted = typeof choice === "object" ? { type: "function", name: choice.name } : choice;
  const body: Record<string, unknown> = {
    model,
    store: false,
    instructions: system,
    input: request.messages.flatMap(toItems),
    tools: tools?.length ? tools.map((tool) => ({ type: "function", strict: false, ...tool })) : undefined,
    tool_choice: tools?.length ? wanted : undefined,
    text: responseFormat && { format: { type: "json_schema", ...responseFormat, strict: true } },
    temperature: settings.temperature,
    top_p: settings.topP,
    max_output_tokens: settings.maxOutputTokens,
    ...settings.providerOptions,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

function toItems(message: AgentMessage): unknown[] {
  const items: unknown[] = (message.toolResponses ?? []).map(({ toolCallId, content }) => ({
    type: "function_call_output",
    call_id: toolCallId,
    output: content,
  }));
  const said = toSaid(message);
  const calls = (message.toolCalls ?? []).map((call) => ({
    type: "function_call",
    call_id: call.id,
    name: call.name,
    arguments: call.arguments,
  }));
  return [...items, ...said, ...calls];
}

/** The interface has no field for a speaker's name: others than the model are named in front of their text. */
function toSaid(message: AgentMessage): readonly unknown[] {
  const { content, name } = message;
  if (content === null || (content === "" && (message.toolCalls ?? message.toolResponses))) return [];
  if (message.role === "assistant") {
    return [{ role: "assistant", content: [{ type: "output_text", text: messageText(message) }] }];
  }
  if (message.role === "system") return [{ role: "system", content: messageText(message) }];
  const parts: readonly ContentPart[] =
    typeof content === "string" ? [{ type: "text", text: content }] : content;
  const speaker: readonly ContentPart[] =
    name === undefined || name === "user" ? [] : [{ type: "text", text: `${name}:\n` }];
  return [{ role: "user", content: [...speaker, ...parts].map(toPart) }];
}

function toPart(part: ContentPart): unknown {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image":
      return { type: "input_image", image_url: part.url };
    case "data":
      return { type: "input_text", text: JSON.stringify(part.data) ?? "null" };
    case "file": {
      if (part.data === undefined) return { type: "input_file", file_url: part.url };
      const mediaType = part.mediaType ?? "application/octet-stream";
      const url = `data:${mediaType};base64,${Buffer.from(part.data).toString("base64")}`;
      if (mediaType.startsWith("image/")) return { type: "input_image", image_url: url };
      return { type: "input_file", filename: part.name ?? "file", file_data: url };
    }
  }
}
