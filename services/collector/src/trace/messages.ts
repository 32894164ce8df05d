/**
 * Messages as spans record them: the GenAI message schema (`role`, `parts`, `name`) in JSON, each with an `id` when
 * Weft wrote it.
 */
import type { TranscriptToolCall, TranscriptToolResponse } from "@weft/tracing/http";

export interface RecordedMessage {
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly text: string;
  readonly toolCalls: readonly TranscriptToolCall[];
  readonly toolResponses: readonly TranscriptToolResponse[];
  /** As it stands on the span. */
  readonly source: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/** The messages of a `gen_ai.input.messages` or `gen_ai.output.messages` attribute; [] when it is neither. */
export function parseMessages(text: unknown): readonly RecordedMessage[] {
  return parseList(text).map(toMessage);
}

/** The texts of a `gen_ai.system_instructions` attribute, each as the message it is to a model; [] when it is none. */
export function parseInstructions(text: unknown): readonly RecordedMessage[] {
  return parseList(text).map((part) => toMessage({ id: part["id"], role: "system", parts: [part] }));
}

/** Their ids only: what ingest keeps. */
export function messageIds(text: unknown): readonly string[] {
  return parseList(text)
    .map((message) => message["id"])
    .filter((id): id is string => typeof id === "string" && id !== "");
}

function parseList(text: unknown): readonly Json[] {
  if (typeof text !== "string") return [];
  try {
    const value: unknown = JSON.parse(text);
    return (Array.isArray(value) ? value : [value]).filter(isObject);
  } catch {
    return [];
  }
}

/** A message of the GenAI schema. */
export function toMessage(message: Json): RecordedMessage {
  const given = message["parts"] ?? message["content"];
  const parts = Array.isArray(given) ? given.filter(isObject) : [];
  const toolResponses = parts.filter((part) => part["type"] === "tool_call_response");
  return {
    id: toText(message["id"]),
    role: toText(message["role"]),
    name: toText(message["name"]),
    text: typeof given === "string" ? given : parts.map(partText).join(""),
    toolCalls: parts.filter((part) => part["type"] === "tool_call").map(toToolCall),
    toolResponses: toolResponses.map(toToolResponse),
    source: message,
  };
}

function partText(part: Json): string {
  return part["type"] === "text" ? toText(part["content"] ?? part["text"]) : "";
}

function toToolCall(part: Json): TranscriptToolCall {
  return { id: toText(part["id"]), name: toText(part["name"]), arguments: toText(part["arguments"]) };
}

function toToolResponse(part: Json): TranscriptToolResponse {
  const name = toText(part["name"]);
  return {
    toolCallId: toText(part["id"]),
    ...(name === "" ? {} : { name }),
    content: toText(part["response"] ?? part["result"]),
    ...(part["isError"] === true || part["is_error"] === true ? { isError: true } : {}),
  };
}

/** Strings as they are, nothing as "", anything else as JSON. */
function toText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
