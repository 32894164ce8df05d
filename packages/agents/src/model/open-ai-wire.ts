import type { AgentMessage, ContentPart, ToolCall } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { normaliseToolName } from "../tool/tool-name.ts";
import type { FinishReason, ModelRequest, ModelUsage, ToolChoice } from "./chat-model.ts";

/*
 * The wire format of Chat Completions (https://platform.openai.com/docs/api-reference/chat), as far as we speak it.
 */

export interface WireToolCall {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

export interface WireMessage {
  readonly content?: string | null;
  /** Reasoning models behind compatible servers write one of these two. */
  readonly reasoning_content?: string | null;
  readonly reasoning?: string | null;
  readonly refusal?: string | null;
  readonly tool_calls?: readonly WireToolCall[] | null;
}

export interface WireUsage {
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number } | null;
}

export interface WireCompletion {
  readonly id?: string;
  readonly model?: string;
  readonly usage?: WireUsage | null;
  readonly error?: { readonly message?: string } | string | null;
  readonly choices?: readonly {
    readonly message?: WireMessage;
    readonly delta?: WireMessage;
    readonly finish_reason?: string | null;
  }[];
}

/** The body of a request, `stream` aside. */
export function toWireRequest(model: string, request: ModelRequest): Record<string, unknown> {
  const { settings = {}, tools, responseFormat } = request;
  const choice = request.toolChoice ?? settings.toolChoice;
  return {
    model,
    messages: toWireMessages(request),
    ...(tools?.length ? { tools: tools.map((tool) => ({ type: "function", function: { ...tool } })) } : {}),
    ...(tools?.length && choice !== undefined ? { tool_choice: toWireChoice(choice) } : {}),
    ...(responseFormat
      ? { response_format: { type: "json_schema", json_schema: { ...responseFormat, strict: true } } }
      : {}),
    ...defined("temperature", settings.temperature),
    ...defined("top_p", settings.topP),
    ...defined("max_tokens", settings.maxOutputTokens),
    ...defined("stop", settings.stopSequences),
    ...settings.providerOptions,
  };
}

function defined(key: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [key]: value };
}

function toWireChoice(choice: ToolChoice): unknown {
  return typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
}

function toWireMessages({ system, messages }: ModelRequest): unknown[] {
  const wire: unknown[] = system ? [{ role: "system", content: system }] : [];
  for (const message of messages) {
    if (message.toolResponses?.length) {
      for (const { toolCallId, content } of message.toolResponses) {
        wire.push({ role: "tool", tool_call_id: toolCallId, content });
      }
      if (message.content === null || message.content === "") continue;
    }
    wire.push(toWireMessage(message));
  }
  return wire;
}

function toWireMessage(message: AgentMessage): Record<string, unknown> {
  // A tool message with a text besides its answers: the answers went before, the text is the user's.
  const role = message.role === "tool" ? "user" : message.role;
  const name = message.name === undefined ? {} : { name: normaliseToolName(message.name) };
  if (message.toolCalls?.length) {
    return {
      role: "assistant",
      content: messageText(message) || null,
      ...name,
      tool_calls: message.toolCalls.map(toWireToolCall),
    };
  }
  return { role, content: role === "user" ? toWireContent(message.content) : messageText(message), ...name };
}

function toWireToolCall({ id, name, arguments: text }: ToolCall): unknown {
  return { id, type: "function", function: { name, arguments: text } };
}

function toWireContent(content: AgentMessage["content"]): unknown {
  return typeof content === "string" || content === null ? (content ?? "") : content.map(toWirePart);
}

function toWirePart(part: ContentPart): unknown {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return { type: "image_url", image_url: { url: part.url } };
    case "data":
      return { type: "text", text: JSON.stringify(part.data) ?? "null" };
    case "file": {
      if (part.data === undefined)
        return { type: "text", text: `[file ${part.name ?? ""} ${part.url ?? ""}]` };
      const mediaType = part.mediaType ?? "application/octet-stream";
      const url = `data:${mediaType};base64,${Buffer.from(part.data).toString("base64")}`;
      if (mediaType.startsWith("image/")) return { type: "image_url", image_url: { url } };
      return { type: "file", file: { filename: part.name ?? "file", file_data: url } };
    }
  }
}

export function fromWireUsage(usage: WireUsage | null | undefined): ModelUsage | undefined {
  if (!usage) return undefined;
  const cacheReadTokens = usage.prompt_tokens_details?.cached_tokens;
  const reasoningTokens = usage.completion_tokens_details?.reasoning_tokens;
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}

/** Tool calls put together from the pieces of a stream, or taken whole. */
export class ToolCallAssembler {
  readonly #calls: { id: string; name: string; arguments: string }[] = [];

  add(piece: WireToolCall, position: number): void {
    const index = piece.index ?? position;
    const call = (this.#calls[index] ??= { id: "", name: "", arguments: "" });
    if (piece.id) call.id = piece.id;
    if (piece.function?.name) call.name += piece.function.name;
    if (piece.function?.arguments) call.arguments += piece.function.arguments;
  }

  /** A call without an id (some servers send none) gets one that is unique in its message. */
  finish(): readonly ToolCall[] {
    return this.#calls.filter(Boolean).map((call, index) => ({
      id: call.id || `call_${index + 1}`,
      name: normaliseToolName(call.name),
      arguments: call.arguments || "{}",
    }));
  }
}

export function fromWireFinish(reason: string | null | undefined, hasToolCalls: boolean): FinishReason {
  return reason ?? (hasToolCalls ? "tool_calls" : "stop");
}
