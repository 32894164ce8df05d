/*
 * One turn of an agent.
 *
 * Job: hooks, guardrails, the reply chain, and one message of what comes of them (SEMANTICS R1, R2).
 * Owns: nothing that lasts. Does not own: the agent's configuration; what a step of the chain does.
 */
import type {
  AgentContext,
  AgentMessage,
  AgentRequest,
  AgentYield,
  Emit,
  MessageInput,
} from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import { meterOf } from "../chat/meter-of.ts";
import type { Guardrail } from "../handoff/guardrail.ts";
import { runGuardrails } from "../handoff/guardrail.ts";
import { changeSession, readSession } from "./agent-session.ts";
import { AutoReplyCounter } from "./auto-reply-counter.ts";
import type { HookBook } from "./hooks.ts";
import { senderName } from "./human-step.ts";
import { applyHooks, openTurn, renewed } from "./open-turn.ts";
import { redirectTo } from "./redirect.ts";
import type { ReplyChain, ReplyOutcome, ReplyTurn } from "./reply-chain.ts";

/** An agent, and how it replies. */
export interface Replier {
  readonly agent: {
    readonly name: string;
    readonly systemMessage: string;
    readonly guardrails: readonly Guardrail[];
  };
  readonly chain: ReplyChain;
  readonly hooks: HookBook;
  /** Said when no step of the chain has a reply. */
  readonly defaultAutoReply: MessageInput;
}

/** Answers a request; what comes of it is told through `emit`. */
export async function answerTurn(
  replier: Replier,
  request: AgentRequest,
  context: AgentContext,
  emit: Emit<AgentYield>,
): Promise<void> {
  const { agent, chain, hooks, defaultAutoReply } = replier;
  const heard = openTurn(agent, request, context, emit);
  const turn = hooks.isEmpty ? heard : await applyHooks(agent, hooks, heard);
  const isGuarded = agent.guardrails.length > 0;
  const caught = isGuarded ? await guard(agent, "input", turn.messages.at(-1), turn) : undefined;
  const outcome = caught ?? (await chain.reply(turn));
  const reply = outcome ?? ({ final: true, reply: defaultAutoReply } satisfies ReplyOutcome);
  if (reply.reply === null) {
    await emit({ type: "end", endedBy: reply.endedBy ?? "noReply" });
    return;
  }
  if (readSession(context).askedFor !== undefined) changeSession(context, { askedFor: undefined });
  if (!reply.isHuman) new AutoReplyCounter(context, senderName(turn, request.messages.at(-1))).increment();
  const made = toMessage(agent.name, reply.reply);
  const message = hooks.isEmpty ? made : await beforeSend(replier, made, turn);
  const replaced = caught || !isGuarded ? undefined : await guard(agent, "output", message, turn);
  // What was shown of the reply is taken back.
  if (replaced) await emit({ type: "reset", messageId: message.id });
  const said = replaced?.reply ? toMessage(agent.name, replaced.reply) : message;
  await emit({ type: "message", text: messageText(said), message: said });
}

async function guard(
  agent: Replier["agent"],
  side: "input" | "output",
  message: AgentMessage | undefined,
  { context, emit }: ReplyTurn,
): Promise<ReplyOutcome | undefined> {
  const isOwn = message?.name === (side === "input" ? agent.name : "");
  if (message?.toolCalls?.length || isOwn) return undefined;
  const call = { signal: context.signal, meter: meterOf(context), emit };
  const caught = await runGuardrails(agent.guardrails, side, message, call);
  if (!caught) return undefined;
  const { target, message: text, name } = caught;
  if (target !== undefined) await emit(redirectTo(context, target, `guardrail ${name}`));
  return { final: true, reply: text };
}

async function beforeSend(
  { agent, hooks }: Replier,
  message: AgentMessage,
  { request, context }: ReplyTurn,
): Promise<AgentMessage> {
  let sent = message;
  for (const rewrite of hooks.of("messageBeforeSend")) {
    const rewritten = await rewrite(sent, {
      agent: agent.name,
      contextVariables: request.contextVariables,
      signal: context.signal,
    });
    if (rewritten !== undefined && rewritten !== sent) sent = renewed(sent, rewritten);
  }
  return sent;
}

function toMessage(name: string, reply: MessageInput): AgentMessage {
  const given = typeof reply === "string" ? { content: reply } : reply;
  const role = given.toolResponses?.length ? "tool" : "assistant";
  if (given.name === name && given.id && given.role === role && Object.isFrozen(given))
    return given as AgentMessage;
  return createMessage({ ...given, name, role });
}
