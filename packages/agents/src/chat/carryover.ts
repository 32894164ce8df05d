import type { ContentPart, MessageInput } from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";

/** What an earlier chat hands to a later one: a text, or anything with `content`. */
export type CarryoverItem = string | { readonly content: unknown };

/**
 * A message with what is carried over: its text, "\nContext: \n", and the items, one a line; for content in parts
 * a text part in front (SEMANTICS C3). The message itself is not changed.
 */
export function withCarryover(message: MessageInput, items: readonly CarryoverItem[]): MessageInput {
  if (items.length === 0) return message;
  const context = `\nContext: \n${items.map(toText).join("\n")}`;
  if (typeof message === "string") return message + context;
  const { content } = message;
  if (Array.isArray(content)) {
    return { ...message, content: [{ type: "text", text: context }, ...(content as ContentPart[])] };
  }
  return { ...message, content: `${typeof content === "string" ? content : ""}${context}` };
}

function toText(item: unknown): string {
  if (typeof item === "string") return item;
  if (typeof item === "object" && item !== null && "content" in item) {
    return messageText(createMessage({ content: item.content }));
  }
  throw new WeftError("invalid_argument", "A carryover item must be a string or have content.");
}
