import type {
  AgentContext,
  AgentMessage,
  AgentRequest,
  AgentYield,
  Emit,
  MessageInput,
} from "@weft/runtime/agent";
import { createMessage } from "@weft/runtime/agent";
import { activeContext } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { trace } from "@opentelemetry/api";
import type { Asker } from "../chat/scope.ts";
import { scopeOf } from "../chat/scope.ts";
import { changeSession, readSession } from "./agent-session.ts";
import { answeringMessage, callerAsker, readCallerAnswer } from "./caller-asker.ts";
import type { HookBook, Hooks } from "./hooks.ts";
import type { ReplyTurn } from "./reply-chain.ts";

interface Speaker {
  readonly name: string;
  readonly systemMessage: string;
}

type HookContext = Parameters<Hooks["messageBeforeSend"]>[1];

/** A turn as the chain's steps see it: without the answers that callers gave to questions. */
export function openTurn(
  { systemMessage }: Speaker,
  request: AgentRequest,
  context: AgentContext,
  emit: Emit<AgentYield>,
): ReplyTurn {
  const { asker, messages } = listen(request, context);
  const sender = scopeOf(context)?.sender ?? messages.at(-1)?.name;
  return { request, context, messages, systemMessage, sender, asker, emit };
}

/** The turn after the hooks that come before a reply. */
export async function applyHooks({ name }: Speaker, hooks: HookBook, turn: ReplyTurn): Promise<ReplyTurn> {
  const { request, context, messages: heard } = turn;
  let { systemMessage } = turn;
  const hook = { agent: name, contextVariables: request.contextVariables, signal: context.signal };
  for (const update of hooks.of("updateAgentState")) {
    systemMessage = (await update(heard, hook))?.systemMessage ?? systemMessage;
  }
  return { ...turn, messages: await rewrite(hooks, heard, hook), systemMessage };
}

const none: readonly never[] = [];

/** Under `serve` the new message of a caller that was asked is the answer, and no message to reply to. */
function listen(
  request: AgentRequest,
  context: AgentContext,
): { readonly asker: Asker | undefined; readonly messages: readonly AgentMessage[] } {
  const { pending = none, hidden = none } = readSession(context);
  const scope = scopeOf(context);
  const answering = scope || pending.length === 0 ? undefined : answeringMessage(request);
  const hiddenNow = answering ? [...hidden, answering.id] : hidden;
  if (answering) changeSession(context, { hidden: hiddenNow });
  const asker =
    scope === undefined
      ? callerAsker(pending[0]?.request.id, answering && readCallerAnswer(answering))
      : scope.asker;
  if (hiddenNow.length === 0) return { asker, messages: request.messages };
  return { asker, messages: request.messages.filter(({ id }) => !hiddenNow.includes(id)) };
}

async function rewrite(
  hooks: HookBook,
  given: readonly AgentMessage[],
  hook: HookContext,
): Promise<readonly AgentMessage[]> {
  let messages = given;
  for (const each of hooks.of("allMessagesBeforeReply")) messages = (await each(messages, hook)) ?? messages;
  for (const each of hooks.of("lastReceivedMessage")) {
    const last = messages.at(-1);
    const rewritten = last && (await each(last, hook));
    if (last && rewritten !== undefined) messages = [...messages.slice(0, -1), renewed(last, rewritten)];
  }
  return messages;
}

/** A rewritten message is another message: it gets an id of its own, and the trace says of which it was made. */
export function renewed(original: AgentMessage, rewritten: MessageInput): AgentMessage {
  const { id, ...rest } = original;
  const { id: _, ...given } = typeof rewritten === "string" ? { content: rewritten } : rewritten;
  const message = createMessage({ ...rest, ...given });
  const span = trace.getSpan(activeContext());
  if (span?.isRecording()) {
    const before = (span as { attributes?: Readonly<Record<string, unknown>> }).attributes?.[Attr.rewrites];
    span.setAttribute(Attr.rewrites, [
      ...(Array.isArray(before) ? (before as string[]) : []),
      `${message.id}=${id}`,
    ]);
  }
  return message;
}
