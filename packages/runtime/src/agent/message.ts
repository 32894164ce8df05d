import { newMessageId } from "@weft/tracing/internal";
import { WeftError } from "@weft/tracing";

export type AgentRole = "user" | "assistant" | "system" | "tool";

/** One part of a message's content. Binary data stays binary until a wire asks for text. */
export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly url: string }
  | {
      readonly type: "file";
      readonly name?: string;
      readonly mediaType?: string;
      readonly url?: string;
      readonly data?: Uint8Array;
    }
  | { readonly type: "data"; readonly data: unknown };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it: it may be malformed. */
  readonly arguments: string;
}

export interface ToolResponse {
  readonly toolCallId: string;
  readonly name: string;
  readonly content: string;
  readonly isError?: boolean;
}

/** A message: made once, with one id, then appended to any number of histories. Frozen. */
export interface AgentMessage {
  readonly id: string;
  readonly role: AgentRole;
  readonly content: string | readonly ContentPart[] | null;
  /** Who spoke. */
  readonly name?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly toolResponses?: readonly ToolResponse[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What {@link createMessage} takes: a text, or a message whose id and role may be left out. */
export type MessageInput = string | (Omit<Partial<AgentMessage>, "content"> & { readonly content?: unknown });

/**
 * Makes a message. The id is random unless given; the role is `user`, or `assistant` when there are tool calls,
 * or `tool` when there are only tool responses; `human` and `ai` are read as `user` and `assistant`. Content that is
 * neither text nor parts becomes a data part.
 *
 * @throws WeftError `invalid_argument` for a message with no content, no tool calls and no tool responses, and for an
 *   unknown role
 */
export function createMessage(input: MessageInput): AgentMessage {
  const given = typeof input === "string" ? { content: input } : input;
  const { toolCalls, toolResponses } = given;
  const content = toContent(given.content);
  if (content === null && !toolCalls?.length && !toolResponses?.length) {
    throw new WeftError(
      "invalid_argument",
      'A message needs content, tool calls or tool responses ("" is content).',
    );
  }
  const message: { -readonly [Key in keyof AgentMessage]: AgentMessage[Key] } = {
    id: given.id ?? newMessageId(),
    role: roleOf(given),
    content,
  };
  if (given.name !== undefined) message.name = given.name;
  if (toolCalls?.length) message.toolCalls = Object.freeze([...toolCalls]);
  if (toolResponses?.length) message.toolResponses = Object.freeze([...toolResponses]);
  if (given.metadata !== undefined) message.metadata = given.metadata;
  return Object.freeze(message);
}

/** The text of a message: its text parts, joined; "" when there is none. */
export function messageText(message: Pick<AgentMessage, "content">): string {
  const { content } = message;
  if (content === null || typeof content === "string") return content ?? "";
  let text = "";
  for (const part of content) if (part.type === "text") text += part.text;
  return text;
}

/** By the names that are in use: other frameworks, and records of talks with them, say `human` and `ai`. */
const roles: ReadonlyMap<unknown, AgentRole> = new Map<unknown, AgentRole>([
  ["user", "user"],
  ["assistant", "assistant"],
  ["system", "system"],
  ["tool", "tool"],
  ["human", "user"],
  ["ai", "assistant"],
]);

function roleOf(given: Partial<Pick<AgentMessage, "role" | "toolCalls" | "toolResponses">>): AgentRole {
  if (given.toolCalls?.length) return "assistant";
  const { role = given.toolResponses?.length ? "tool" : "user" } = given;
  const known = roles.get(role);
  if (known) return known;
  throw new WeftError(
    "invalid_argument",
    `role must be user, assistant, system or tool, not "${role as string}".`,
  );
}

function toContent(content: unknown): AgentMessage["content"] {
  if (content === undefined || content === null) return null;
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return Object.freeze(content.map(toPart));
  return Object.freeze([{ type: "data" as const, data: content }]);
}

function toPart(part: unknown): ContentPart {
  if (typeof part === "string") return { type: "text", text: part };
  if (isRecord(part) && isContentPart(part)) return part;
  return { type: "data", data: part };
}

function isContentPart(part: Record<string, unknown>): part is ContentPart {
  switch (part["type"]) {
    case "text":
      return typeof part["text"] === "string";
    case "image":
      return typeof part["url"] === "string";
    case "file":
      return typeof part["url"] === "string" || part["data"] instanceof Uint8Array;
    case "data":
      return "data" in part;
    default:
      return false;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
