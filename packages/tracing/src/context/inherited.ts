import { createContextKey } from "@opentelemetry/api";
import type { Attributes, Context } from "@opentelemetry/api";
import { Attr } from "../vocabulary.ts";
import { activeContext } from "./active-context.ts";
import { contextWithValue } from "./context-with-span.ts";

const inheritedKey = createContextKey("weft.inherited");
const none: Attributes = Object.freeze({});

/** Attributes that every span started under `context` gets at its start. */
export function inheritedAttributes(context: Context): Attributes {
  return (context.getValue(inheritedKey) as Attributes | undefined) ?? none;
}

export function withInheritedAttributes(context: Context, attributes: Attributes): Context {
  const inherited = inheritedAttributes(context);
  // Nobody is given what is theirs to change.
  const all = inherited === none ? { ...attributes } : { ...inherited, ...attributes };
  return contextWithValue(context, inheritedKey, all);
}

/** Every span started under the result carries `gen_ai.conversation.id`. */
export function setConversation(context: Context, id: string): Context {
  return withInheritedAttributes(context, { [Attr.conversationId]: id });
}

/** Without the conversation; whatever else is inherited stays. */
export function forgetConversation(context: Context): Context {
  const inherited = inheritedAttributes(context);
  if (inherited[Attr.conversationId] === undefined) return context;
  const { [Attr.conversationId]: _left, ...others } = inherited;
  return context.setValue(inheritedKey, Object.freeze(others));
}

export function conversationOf(context: Context = activeContext()): string | undefined {
  const id = inheritedAttributes(context)[Attr.conversationId];
  return typeof id === "string" ? id : undefined;
}
