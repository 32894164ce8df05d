import { WeftError } from "@weft/tracing";
import type { AgentMessage, AgentRole, ToolCall, ToolResponse } from "./message.ts";
import { createMessage, isRecord } from "./message.ts";

/**
 * Reads a message from outside (JSON, a saved state, another library). AG2's and OpenAI's spellings
 * (`tool_calls`, `tool_responses`) are read too. A message without an id gets one.
 *
 * @throws WeftError `invalid_argument` naming the first field that is wrong
 */
export function parseMessage(value: unknown): AgentMessage {
  if (typeof value === "string") return createMessage(value);
  if (!isRecord(value)) throw invalid("a message", "an object or a string", value);
  const toolCalls = parseList(value["toolCalls"] ?? value["tool_calls"], "toolCalls", parseToolCall);
  const toolResponses = parseList(
    value["toolResponses"] ?? value["tool_responses"],
    "toolResponses",
    parseToolResponse,
  );
  const { id, role, name, metadata } = value;
  if (id !== undefined && (typeof id !== "string" || id === ""))
    throw invalid("id", "a non-empty string", id);
  if (name !== undefined && name !== null && typeof name !== "string")
    throw invalid("name", "a string", name);
  if (metadata !== undefined && metadata !== null && !isRecord(metadata)) {
    throw invalid("metadata", "an object", metadata);
  }
  return createMessage({
    content: parseContent(value["content"]),
    ...(id === undefined ? {} : { id }),
    ...(role === undefined ? {} : { role: role as AgentRole }),
    ...(typeof name === "string" ? { name } : {}),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(toolResponses === undefined ? {} : { toolResponses }),
    ...(isRecord(metadata) ? { metadata } : {}),
  });
}

function parseContent(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part: unknown) => {
    if (!isRecord(part) || part["type"] !== "file" || typeof part["data"] !== "string") return part;
    return { ...part, data: new Uint8Array(Buffer.from(part["data"], "base64")) };
  });
}

function parseToolCall(value: unknown): ToolCall {
  if (!isRecord(value)) throw invalid("toolCalls", "a list of tool calls", value);
  const call = isRecord(value["function"]) ? { ...value["function"], id: value["id"] } : value;
  const { id, name } = call;
  const given = call["arguments"] ?? "{}";
  if (typeof id !== "string") throw invalid("toolCalls[].id", "a string", id);
  if (typeof name !== "string") throw invalid("toolCalls[].name", "a string", name);
  return { id, name, arguments: typeof given === "string" ? given : JSON.stringify(given) };
}

function parseToolResponse(value: unknown): ToolResponse {
  if (!isRecord(value)) throw invalid("toolResponses", "a list of tool responses", value);
  const toolCallId = value["toolCallId"] ?? value["tool_call_id"];
  const { name = "", content, isError } = value;
  if (typeof toolCallId !== "string") throw invalid("toolResponses[].toolCallId", "a string", toolCallId);
  if (typeof name !== "string") throw invalid("toolResponses[].name", "a string", name);
  if (typeof content !== "string") throw invalid("toolResponses[].content", "a string", content);
  return { toolCallId, name, content, ...(isError === true ? { isError } : {}) };
}

function parseList<T>(value: unknown, field: string, parse: (item: unknown) => T): T[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalid(field, "a list", value);
  return value.map((item) => parse(item));
}

function invalid(field: string, wanted: string, got: unknown): WeftError {
  const kind = got === null ? "null" : Array.isArray(got) ? "a list" : typeof got;
  return new WeftError("invalid_argument", `${field} must be ${wanted}, not ${kind}.`);
}
