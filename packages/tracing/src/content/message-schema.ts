/**
 * A message in the GenAI message schema, plus its `id`:
 * github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-input-messages.json
 */

/** A message as agents keep it. Made once, with one id, whatever histories it is in. */
export interface RecordableMessage {
  readonly id: string;
  readonly role: "user" | "assistant" | "system" | "tool";
  /** A string, a list of parts, null, or anything a caller passed. */
  readonly content: unknown;
  /** The speaker. */
  readonly name?: string | undefined;
  readonly toolCalls?: readonly RecordableToolCall[] | undefined;
  readonly toolResponses?: readonly RecordableToolResponse[] | undefined;
  /** Of a model's output: `stop`, `length`, `tool_call`, … */
  readonly finishReason?: string | undefined;
}

export interface RecordableToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it. */
  readonly arguments: string;
}

export interface RecordableToolResponse {
  readonly toolCallId: string;
  readonly name?: string | undefined;
  readonly content: string;
  readonly isError?: boolean | undefined;
}

type SchemaPart = Readonly<Record<string, unknown>>;

/** `id` and what is short come first, so that a cut loses the text's end and nothing else. */
export function toSchemaMessage(message: RecordableMessage): Readonly<Record<string, unknown>> {
  const { id, role, name, finishReason, toolCalls, toolResponses } = message;
  const item: Record<string, unknown> = { id, role };
  if (name !== undefined) item["name"] = name;
  if (finishReason !== undefined) item["finish_reason"] = finishReason;
  const parts = contentParts(message.content);
  if (toolCalls !== undefined) parts.push(...toolCalls.map(toolCallPart));
  if (toolResponses !== undefined) parts.push(...toolResponses.map(toolResponsePart));
  item["parts"] = parts;
  return item;
}

function toolCallPart(call: RecordableToolCall): SchemaPart {
  return { type: "tool_call", id: call.id, name: call.name, arguments: call.arguments };
}

function toolResponsePart(response: RecordableToolResponse): SchemaPart {
  return {
    type: "tool_call_response",
    id: response.toolCallId,
    ...(response.name === undefined ? {} : { name: response.name }),
    ...(response.isError === true ? { is_error: true } : {}),
    response: response.content,
  };
}

function contentParts(content: unknown): SchemaPart[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return [{ type: "text", content }];
  return Array.isArray(content) ? content.map(contentPart) : [{ type: "data", content }];
}

function contentPart(part: unknown): SchemaPart {
  if (typeof part === "string") return { type: "text", content: part };
  if (typeof part !== "object" || part === null) return { type: "data", content: part };
  const fields = part as Readonly<Record<string, unknown>>;
  switch (fields["type"]) {
    case "text":
      return { type: "text", content: fields["text"] ?? fields["content"] };
    case "image":
      return { type: "uri", modality: "image", uri: fields["url"] };
    case "file":
      return filePart(fields);
    case "data":
      return { type: "data", content: fields["data"] };
    default:
      return { type: "data", content: part };
  }
}

/** The bytes of a file are named, not copied. */
function filePart(fields: Readonly<Record<string, unknown>>): SchemaPart {
  const common = { modality: "file", name: fields["name"], mime_type: fields["mediaType"] };
  const { url, data } = fields;
  return typeof url === "string"
    ? { type: "uri", ...common, uri: url }
    : { type: "blob", ...common, content: data };
}
