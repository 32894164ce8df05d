import type { AgentEvent, AgentEventBody, InputRequest } from "../agent/event.ts";
import { isRecord, messageText } from "../agent/message.ts";
import { parseMessage } from "../agent/parse-message.ts";
import { parseUsage } from "../a2a/usage-metadata.ts";

const forwarded: ReadonlySet<unknown> = new Set<AgentEvent["type"]>([
  "reasoning-delta",
  "tool-call",
  "tool-result",
  "speaker-selected",
  "handoff",
  "usage",
]);
/** Only of chats inside the far agent: its own text comes as artifacts, its own question as its state. */
const forwardedFromInside: ReadonlySet<unknown> = new Set<AgentEvent["type"]>([
  "message",
  "text-delta",
  "reset",
  "input-required",
  "end",
]);

/**
 * Reads an agent event that a Weft service sent. The far agent's own events lose their origin (the caller's turn is
 * their origin here); those of chats inside it keep theirs, without the far agent's name, which the caller's own
 * replaces. Undefined for what is not an event to pass on.
 */
export function parseAgentEvent(value: unknown): AgentEvent | AgentEventBody | undefined {
  if (!isRecord(value)) return undefined;
  const { from, turn, spanId, path, ...body } = value;
  if (!Array.isArray(path) || typeof from !== "string") return undefined;
  const isInside = path.length > 0;
  if (!forwarded.has(body["type"]) && !(isInside && forwardedFromInside.has(body["type"]))) return undefined;
  const checked = checkBody(body);
  if (!checked || !isInside) return checked;
  const origin = {
    from,
    turn: Number(turn) || 0,
    spanId: typeof spanId === "string" ? spanId : "",
    path: path.slice(1).map(String),
  };
  return { ...checked, ...origin };
}

/** Fields of the right type, or no event. */
function checkBody(body: Record<string, unknown>): AgentEventBody | undefined {
  const isText = (key: string): boolean => typeof body[key] === "string";
  switch (body["type"]) {
    case "reasoning-delta":
    case "text-delta":
      return isText("text") ? (body as unknown as AgentEventBody) : undefined;
    case "tool-call":
      return isText("toolCallId") && isText("toolName") ? (body as unknown as AgentEventBody) : undefined;
    case "tool-result":
      return isText("toolCallId") ? (body as unknown as AgentEventBody) : undefined;
    case "speaker-selected":
      return Array.isArray(body["candidates"]) ? (body as unknown as AgentEventBody) : undefined;
    case "handoff":
      return isText("to") ? (body as unknown as AgentEventBody) : undefined;
    case "reset":
      return isText("messageId") ? (body as unknown as AgentEventBody) : undefined;
    case "end":
      return isText("endedBy") ? (body as unknown as AgentEventBody) : undefined;
    case "input-required": {
      const request = parseInputRequest(body);
      return request ? { type: "input-required", ...request } : undefined;
    }
    case "usage":
      return checkUsage(body);
    case "message":
      return checkMessage(body);
    default:
      return undefined;
  }
}

function checkUsage(body: Record<string, unknown>): AgentEventBody | undefined {
  const usage = parseUsage(body["usage"]);
  if (!usage) return undefined;
  const { model, cost } = body;
  return {
    type: "usage",
    usage,
    ...(typeof model === "string" ? { model } : {}),
    ...(typeof cost === "number" ? { cost } : {}),
  };
}

function checkMessage(body: Record<string, unknown>): AgentEventBody | undefined {
  try {
    const message = parseMessage(body["message"]);
    return { type: "message", text: messageText(message), message };
  } catch {
    return undefined;
  }
}

/** Reads a question; undefined when it is none. */
export function parseInputRequest(value: unknown): InputRequest | undefined {
  if (!isRecord(value)) return undefined;
  const { id, kind, agent, prompt, toolCall, candidates } = value;
  const isKind = kind === "reply" || kind === "approval" || kind === "speaker";
  if (typeof id !== "string" || !isKind || typeof agent !== "string" || typeof prompt !== "string")
    return undefined;
  return {
    id,
    kind,
    agent,
    prompt,
    ...(isRecord(toolCall) ? { toolCall: toolCall as unknown as NonNullable<InputRequest["toolCall"]> } : {}),
    ...(Array.isArray(candidates) ? { candidates: candidates.map(String) } : {}),
  };
}
