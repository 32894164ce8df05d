import type { RecordableMessage, RecordableToolCall } from "../content/message-schema.ts";
import type { TokenUsage } from "../spans/weft-span.ts";
import { Attr, Operations } from "../vocabulary.ts";
import { fieldsOf, idOf, listOf, numberOf, scalars, textOf } from "./model-call.ts";
import type { Fields, ModelAnswer, ModelCall } from "./model-call.ts";

const parameters = {
  temperature: Attr.requestTemperature,
  top_p: Attr.requestTopP,
  max_tokens: Attr.requestMaxTokens,
  max_completion_tokens: Attr.requestMaxTokens,
  max_output_tokens: Attr.requestMaxTokens,
  frequency_penalty: Attr.requestFrequencyPenalty,
  presence_penalty: Attr.requestPresencePenalty,
  seed: Attr.requestSeed,
  n: Attr.requestChoiceCount,
  stream: Attr.requestStream,
} as const;

export function openAiParameters(body: Fields): ReturnType<typeof scalars> {
  return scalars(body, parameters);
}

export function chatCall(body: unknown): ModelCall {
  const fields = fieldsOf(body);
  return {
    operation: Operations.chat,
    provider: "openai",
    model: textOf(fields["model"]) ?? "",
    attributes: openAiParameters(fields),
    messages: listOf(fields["messages"]).map((message) => ({ id: idOf(message), ...toRecordable(message) })),
  };
}

const roles = { developer: "system", system: "system", assistant: "assistant", tool: "tool" } as const;

function toRecordable(message: Fields): Omit<RecordableMessage, "id"> {
  const role = roles[message["role"] as keyof typeof roles] ?? "user";
  const name = textOf(message["name"]);
  const toolCallId = textOf(message["tool_call_id"]);
  if (role === "tool" && toolCallId !== undefined) {
    const content = message["content"];
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return { role, content: null, toolResponses: [{ toolCallId, content: text }] };
  }
  const toolCalls = listOf(message["tool_calls"]).map(toToolCall);
  return {
    role,
    content: toParts(message["content"]),
    ...(name === undefined ? {} : { name }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  };
}

function toParts(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return listOf(content).map((part) =>
    part["type"] === "image_url" ? { type: "image", url: fieldsOf(part["image_url"])["url"] } : part,
  );
}

function toToolCall(call: Fields): RecordableToolCall {
  const { name, arguments: text } = fieldsOf(call["function"]);
  return { id: textOf(call["id"]) ?? "", name: textOf(name) ?? "", arguments: textOf(text) ?? "" };
}

export function chatAnswer(result: unknown): ModelAnswer {
  const fields = fieldsOf(result);
  const choices = listOf(fields["choices"]);
  return {
    id: textOf(fields["id"]),
    model: textOf(fields["model"]),
    finishReasons: choices.flatMap((choice) => textOf(choice["finish_reason"]) ?? []),
    usage: toUsage(fields["usage"]),
    messages: choices.map((choice) => ({
      ...toRecordable(fieldsOf(choice["message"])),
      finishReason: textOf(choice["finish_reason"]),
    })),
  };
}

function toUsage(usage: unknown): TokenUsage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const fields = fieldsOf(usage);
  return {
    inputTokens: numberOf(fields["prompt_tokens"]),
    outputTokens: numberOf(fields["completion_tokens"]),
    cacheReadTokens: numberOf(fieldsOf(fields["prompt_tokens_details"])["cached_tokens"]),
    reasoningTokens: numberOf(fieldsOf(fields["completion_tokens_details"])["reasoning_tokens"]),
  };
}

interface OpenChoice {
  text: string;
  finishReason: string | undefined;
  readonly toolCalls: { id: string; name: string; arguments: string }[];
}

/** Puts the chunks of a streamed completion together. */
export class ChatStream {
  readonly #choices: OpenChoice[] = [];
  #last: Fields = {};
  #usage: TokenUsage | undefined;

  add(chunk: unknown): void {
    const fields = fieldsOf(chunk);
    this.#last = fields;
    this.#usage = toUsage(fields["usage"]) ?? this.#usage;
    for (const choice of listOf(fields["choices"])) this.#addChoice(choice);
  }

  #addChoice(choice: Fields): void {
    const at = numberOf(choice["index"]) ?? 0;
    const open = (this.#choices[at] ??= { text: "", finishReason: undefined, toolCalls: [] });
    const delta = fieldsOf(choice["delta"]);
    open.text += textOf(delta["content"]) ?? "";
    open.finishReason = textOf(choice["finish_reason"]) ?? open.finishReason;
    for (const call of listOf(delta["tool_calls"])) {
      const place = numberOf(call["index"]) ?? 0;
      const known = (open.toolCalls[place] ??= { id: "", name: "", arguments: "" });
      const { id, name, arguments: text } = toToolCall(call);
      known.id += id;
      known.name += name;
      known.arguments += text;
    }
  }

  answer(): ModelAnswer {
    const choices = this.#choices.filter((choice) => choice !== undefined);
    return {
      id: textOf(this.#last["id"]),
      model: textOf(this.#last["model"]),
      finishReasons: choices.flatMap(({ finishReason }) => finishReason ?? []),
      usage: this.#usage,
      messages: choices.map(({ text, toolCalls, finishReason }) => ({
        role: "assistant",
        content: text === "" ? null : text,
        ...(toolCalls.length === 0 ? {} : { toolCalls }),
        finishReason,
      })),
    };
  }
}
