import { Role } from "@a2a-js/sdk";
import type { Message, Part } from "@a2a-js/sdk";
import type { AgentMessage, AgentRole, ContentPart, ToolCall, ToolResponse } from "../agent/message.ts";
import { createMessage, isRecord } from "../agent/message.ts";
import { parseMessage } from "../agent/parse-message.ts";
import { hopExtensionUri } from "./uris.ts";

/** Content as A2A parts; an empty text is one empty part, so that a message always has parts. */
export function toParts(content: AgentMessage["content"]): Part[] {
  if (content === null) return [textPart("")];
  if (typeof content === "string") return [textPart(content)];
  return content.length === 0 ? [textPart("")] : content.map(toPart);
}

/** A2A parts as content: one plain text is a string. Parts without content are left out. */
export function fromParts(parts: readonly Part[]): string | ContentPart[] {
  const first = parts[0]?.content;
  if (parts.length === 1 && first?.$case === "text") return first.value;
  const content = parts.map(fromPart).filter((part) => part !== undefined);
  if (content.every((part) => part.type === "text")) return content.map((part) => part.text).join("");
  return content;
}

export function textPart(text: string, metadata?: Record<string, unknown>): Part {
  return { content: { $case: "text", value: text }, metadata, filename: "", mediaType: "" };
}

function toPart(part: ContentPart): Part {
  const base = { metadata: undefined, filename: "", mediaType: "" };
  switch (part.type) {
    case "text":
      return textPart(part.text);
    case "image":
      return { ...base, content: { $case: "url", value: part.url }, mediaType: "image/*" };
    case "data":
      return { ...base, content: { $case: "data", value: part.data }, mediaType: "application/json" };
    case "file": {
      const named = { ...base, filename: part.name ?? "", mediaType: part.mediaType ?? "" };
      if (part.data) return { ...named, content: { $case: "raw", value: Buffer.from(part.data) } };
      return { ...named, content: { $case: "url", value: part.url ?? "" } };
    }
  }
}

function fromPart(part: Part): ContentPart | undefined {
  const { content, filename, mediaType } = part;
  const named = { ...(filename ? { name: filename } : {}), ...(mediaType ? { mediaType } : {}) };
  switch (content?.$case) {
    case "text":
      return { type: "text", text: content.value };
    case "data":
      return { type: "data", data: content.value };
    case "raw":
      return { type: "file", ...named, data: content.value };
    case "url":
      return mediaType.startsWith("image/")
        ? { type: "image", url: content.value }
        : { type: "file", ...named, url: content.value };
    case undefined:
      return undefined;
  }
}

/** What a Weft service says, on a message's first part, about the agent message that begins there. */
interface Border {
  readonly id: string;
  readonly role: AgentRole;
  readonly name?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly toolResponses?: readonly ToolResponse[];
  readonly isEmpty?: true;
}

/**
 * Several agent messages as the parts of one A2A message. Each message's first part says, under the hop extension,
 * whose it is and its id; a remote that does not know the extension reads the parts as they are.
 */
export function packMessages(messages: readonly AgentMessage[]): Part[] {
  return messages.flatMap((message) => {
    const [first, ...rest] = toParts(message.content);
    return [{ ...first!, metadata: { ...first!.metadata, [hopExtensionUri]: borderOf(message) } }, ...rest];
  });
}

/**
 * What a Weft service is sent when there is nothing it has not seen: it is asked to go on, and its view stays as it
 * is. (An agent that speaks twice in a row.)
 */
export function goOnPart(): Part {
  return textPart("", { [hopExtensionUri]: { isNothingNew: true } });
}

/** Several agent messages as text for a remote that knows no speakers: each with its speaker's name in front. */
export function packForStranger(messages: readonly AgentMessage[]): Part[] {
  if (messages.length === 1) return toParts(messages[0]!.content);
  return messages.flatMap((message) => {
    const parts = toParts(message.content);
    return message.name === undefined ? parts : [textPart(`${message.name}: `), ...parts];
  });
}

/** The agent messages in an A2A message: those that {@link packMessages} packed, else one from the caller. */
export function unpackMessages(message: Message): readonly AgentMessage[] {
  // Most are one text of a caller who says no more.
  if (message.parts.length === 1 && message.parts[0]!.metadata === undefined) return [plainMessage(message)];
  const groups: { border: Border | undefined; parts: Part[] }[] = [];
  for (const part of message.parts) {
    const border = readBorder(part);
    const last = groups.at(-1);
    if (border || !last) groups.push({ border, parts: [part] });
    else last.parts.push(part);
  }
  if (message.parts.length === 1 && isGoOn(message.parts[0]!)) return [];
  if (groups.every((group) => group.border === undefined)) return [plainMessage(message)];
  return groups.map(({ border, parts }) => {
    const content = border?.isEmpty ? null : fromParts(parts);
    const { isEmpty: _, ...given } = border ?? { id: message.messageId };
    return createMessage({ ...given, content });
  });
}

function isGoOn(part: Part): boolean {
  const value: unknown = part.metadata?.[hopExtensionUri];
  return isRecord(value) && value["isNothingNew"] === true;
}

function plainMessage(message: Message): AgentMessage {
  const role = message.role === Role.ROLE_AGENT ? "assistant" : "user";
  return createMessage({ id: message.messageId, role, content: fromParts(message.parts) });
}

function borderOf(message: AgentMessage): Border {
  const { id, role, name, toolCalls, toolResponses, content } = message;
  // What the remote said itself, it said under its own name, which may not be what the caller calls it.
  const isOwn = role === "assistant" && !toolCalls;
  return {
    id,
    role,
    ...(name === undefined || isOwn ? {} : { name }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(toolResponses === undefined ? {} : { toolResponses }),
    ...(content === null ? { isEmpty: true } : {}),
  };
}

function readBorder(part: Part): Border | undefined {
  const value: unknown = part.metadata?.[hopExtensionUri];
  if (!isRecord(value) || typeof value["id"] !== "string" || value["id"] === "") return undefined;
  const { id, role, name, toolCalls, toolResponses } = parseMessage({ ...value, content: "" });
  return {
    id,
    role,
    ...(name === undefined ? {} : { name }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(toolResponses === undefined ? {} : { toolResponses }),
    ...(value["isEmpty"] === true && (toolCalls || toolResponses) ? { isEmpty: true } : {}),
  };
}
