import type { RecordableMessage } from "../content/message-schema.ts";
import { newMessageId } from "../content/record-content.ts";
import type { TokenUsage } from "../spans/weft-span.ts";
import { Attr, Operations } from "../vocabulary.ts";
import { fieldsOf, idOf, listOf, numberOf, textOf } from "./model-call.ts";
import type { Fields, ModelAnswer, ModelCall } from "./model-call.ts";
import { openAiParameters } from "./openai-chat.ts";

export function responsesCall(body: unknown): ModelCall {
  const fields = fieldsOf(body);
  const { input } = fields;
  const instructions = textOf(fields["instructions"]);
  const messages: RecordableMessage[] = [];
  if (instructions !== undefined)
    messages.push({ id: newMessageId(), role: "system", content: instructions });
  if (typeof input === "string") messages.push({ id: newMessageId(), role: "user", content: input });
  for (const item of listOf(input)) messages.push({ id: idOf(item), ...toRecordable(item) });
  return {
    operation: Operations.chat,
    provider: "openai",
    model: textOf(fields["model"]) ?? "",
    attributes: openAiParameters(fields),
    messages,
  };
}

function toRecordable(item: Fields): Omit<RecordableMessage, "id"> {
  const callId = textOf(item["call_id"]) ?? "";
  if (item["type"] === "function_call") {
    const call = { id: callId, name: textOf(item["name"]) ?? "", arguments: textOf(item["arguments"]) ?? "" };
    return { role: "assistant", content: null, toolCalls: [call] };
  }
  if (item["type"] === "function_call_output") {
    const { output } = item;
    const content = typeof output === "string" ? output : JSON.stringify(output);
    return { role: "tool", content: null, toolResponses: [{ toolCallId: callId, content }] };
  }
  const role = item["role"];
  const known = role === "assistant" || role === "system" ? role : role === "developer" ? "system" : "user";
  return { role: item["type"] === "reasoning" ? "assistant" : known, content: toContent(item) };
}

function toContent({ content, summary }: Fields): unknown {
  if (!Array.isArray(content)) return content ?? summary ?? null;
  return listOf(content).map((part) => {
    const text = textOf(part["text"]);
    return text === undefined ? part : { type: "text", text };
  });
}

export function responsesAnswer(result: unknown): ModelAnswer {
  const fields = fieldsOf(result);
  const status = textOf(fields["status"]);
  return {
    id: textOf(fields["id"]),
    model: textOf(fields["model"]),
    ...(status === undefined ? {} : { finishReasons: [status] }),
    usage: toUsage(fields["usage"]),
    messages: listOf(fields["output"]).map(toRecordable),
  };
}

function toUsage(usage: unknown): TokenUsage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const fields = fieldsOf(usage);
  return {
    inputTokens: numberOf(fields["input_tokens"]) ?? numberOf(fields["prompt_tokens"]),
    outputTokens: numberOf(fields["output_tokens"]),
    cacheReadTokens: numberOf(fieldsOf(fields["input_tokens_details"])["cached_tokens"]),
    reasoningTokens: numberOf(fieldsOf(fields["output_tokens_details"])["reasoning_tokens"]),
  };
}

/** The last events of a streamed response hold it whole; until then there is the text so far. */
export class ResponsesStream {
  #response: unknown;
  #text = "";

  add(event: unknown): void {
    const fields = fieldsOf(event);
    if (fields["response"] !== undefined) this.#response = fields["response"];
    if (fields["type"] === "response.output_text.delta") this.#text += textOf(fields["delta"]) ?? "";
  }

  answer(): ModelAnswer {
    const answer = responsesAnswer(this.#response);
    if (answer.messages.length > 0 || this.#text === "") return answer;
    return { ...answer, messages: [{ role: "assistant", content: this.#text }] };
  }
}

export function embeddingsCall(body: unknown): ModelCall {
  const fields = fieldsOf(body);
  const { input } = fields;
  const dimensions = numberOf(fields["dimensions"]);
  return {
    operation: Operations.embeddings,
    provider: "openai",
    model: textOf(fields["model"]) ?? "",
    attributes: dimensions === undefined ? {} : { [Attr.embeddingsDimensionCount]: dimensions },
    messages: input === undefined ? [] : [{ id: newMessageId(), role: "user", content: input }],
  };
}

/** The vectors are not content. */
export function embeddingsAnswer(result: unknown): ModelAnswer {
  const fields = fieldsOf(result);
  return { model: textOf(fields["model"]), usage: toUsage(fields["usage"]), messages: [] };
}
