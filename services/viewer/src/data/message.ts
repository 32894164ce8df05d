/** Messages as spans record them (the GenAI message schema, JSON on the span), made ready to be shown. */
import type { Transcript } from "@weft/tracing/http";

export interface ShownMessage {
  readonly id: string;
  readonly role: string;
  /** The speaker's name, or "". */
  readonly name: string;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ShownToolCall[];
  readonly toolResponses: readonly ShownToolResponse[];
  /** Parts that are no text: images, files, data. */
  readonly others: readonly string[];
  /** Its text stands nowhere in the trace. */
  readonly missing: boolean;
}

export interface ShownToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface ShownToolResponse {
  readonly id: string;
  readonly name: string;
  readonly content: string;
  readonly isError: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** The messages of an attribute's JSON text; [] when it holds none. */
export function parseMessages(text: string): readonly ShownMessage[] {
  if (text === "") return [];
  try {
    const value: unknown = JSON.parse(text);
    return (Array.isArray(value) ? value : [value]).filter(isObject).map(toMessage);
  } catch {
    return [];
  }
}

/** System instructions: a list of parts in JSON, or plain text. */
export function parseInstructions(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const parts = (Array.isArray(value) ? value : [value]).filter(isObject);
    return parts.length === 0
      ? text
      : parts.map((part) => toText(part["content"] ?? part["text"])).join("\n");
  } catch {
    return text;
  }
}

/** What a model was sent, in order: `ids` as the span's context names them, texts from wherever the trace recorded them. */
export function messagesOfContext(
  ids: readonly string[],
  recorded: Readonly<Record<string, unknown>>,
): readonly ShownMessage[] {
  return ids.map((id) => {
    const message = Object.hasOwn(recorded, id) ? recorded[id] : undefined;
    return isObject(message) ? toMessage({ id, ...message }) : { ...toMessage({ id }), missing: true };
  });
}

export function fromTranscript(message: Transcript["messages"][number]): ShownMessage {
  const { id, role, from, text, missing, toolCalls = [], toolResponses = [] } = message;
  return {
    ...toMessage({ id, role, name: from, parts: [{ type: "text", content: text }] }),
    missing: missing === true,
    toolCalls,
    toolResponses: toolResponses.map((response) => ({
      id: response.toolCallId,
      name: response.name ?? "",
      content: response.content,
      isError: response.isError === true,
    })),
  };
}

function toMessage(message: Json): ShownMessage {
  const given = message["parts"] ?? message["content"];
  const parts = Array.isArray(given) ? given.filter(isObject) : [];
  const ofType = (type: string): readonly Json[] => parts.filter((part) => part["type"] === type);
  const text = ofType("text").map((part) => toText(part["content"] ?? part["text"]));
  return {
    id: toText(message["id"]),
    role: toText(message["role"]),
    name: toText(message["name"]),
    text: typeof given === "string" ? given : text.join("\n"),
    reasoning: ofType("reasoning")
      .map((part) => toText(part["content"] ?? part["text"]))
      .join("\n"),
    toolCalls: ofType("tool_call").map(toToolCall),
    toolResponses: ofType("tool_call_response").map(toToolResponse),
    others: parts.filter((part) => !known.has(toText(part["type"]))).map(describePart),
    missing: false,
  };
}

const known = new Set(["text", "reasoning", "tool_call", "tool_call_response"]);

function toToolCall(part: Json): ShownToolCall {
  return { id: toText(part["id"]), name: toText(part["name"]), arguments: toText(part["arguments"]) };
}

function toToolResponse(part: Json): ShownToolResponse {
  const isError = part["isError"] === true || part["is_error"] === true;
  return {
    id: toText(part["id"]),
    name: toText(part["name"]),
    content: toText(part["response"] ?? part["result"]),
    isError,
  };
}

function describePart(part: Json): string {
  const what = toText(part["modality"]) || toText(part["type"]) || "part";
  const name =
    toText(part["name"]) || toText(part["uri"]) || toText(part["url"]) || toText(part["mime_type"]);
  return name === "" ? what : `${what}: ${name}`;
}

/** Strings as they are, nothing as "", anything else as JSON. */
function toText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
