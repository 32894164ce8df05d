/*
 * Nested chats (SEMANTICS C6): an agent that is asked talks with others first; the last summary is its reply.
 */
import type { Agent, AgentContext, AgentMessage, EndedBy } from "@weft/runtime/agent";
import { createMessage, nestedJournal } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { WeftSpan } from "@weft/tracing/internal";
import { openSpan } from "@weft/tracing/internal";
import { Attr, Outcomes } from "@weft/tracing/vocabulary";
import { changeSession, readSession } from "../agent/agent-session.ts";
import type { ReplyOutcome, ReplyStep, ReplyTurn } from "../agent/reply-chain.ts";
import type { CarryoverItem } from "./carryover.ts";
import type { RoomState } from "./chat-state.ts";
import { meterOf } from "./meter-of.ts";
import type { NestedChat } from "./nested-chat.ts";
import type { RunDriver, RunSetting } from "./run-driver.ts";
import { scopeOf } from "./scope.ts";
import { checkSummaryMethod } from "./summary.ts";
import { twoAgentDriver } from "./two-agent-chat.ts";
import { UsageLedger } from "./usage-ledger.ts";

/** What is kept of nested chats that were suspended: which one, the summaries so far, and its own state. */
interface NestedState {
  readonly index: number;
  readonly summaries: readonly string[];
  readonly room: RoomState;
  readonly chat: Readonly<Record<string, unknown>>;
}

/** Raises `invalid_argument` for a chat without a recipient, or one with a bad summary method. */
export function nestedStep(agent: Agent, chats: readonly NestedChat[]): ReplyStep {
  checkNestedChats(agent, chats);
  return async (turn) => {
    const before = readSession(turn.context).nested as NestedState | undefined;
    const summaries = [...(before?.summaries ?? [])];
    let hasRun = summaries.length > 0;
    for (const [index, chat] of chats.entries()) {
      if (before && index < before.index) continue;
      const message = openingOf(chat, index, turn);
      if (message === undefined) continue;
      const resumed = before?.index === index ? before : undefined;
      const ended = await runNested(agent, turn, { ...chat, message }, summaries, resumed);
      if (ended.endedBy === "suspended") {
        changeSession(turn.context, { nested: { index, summaries, ...ended.state } });
        return { final: true, reply: null, endedBy: "suspended" } satisfies ReplyOutcome;
      }
      summaries.push(ended.summary);
      hasRun = true;
    }
    changeSession(turn.context, { nested: undefined });
    return hasRun ? { final: true, reply: summaries.at(-1) ?? "" } : undefined;
  };
}

export function checkNestedChats(agent: Agent, chats: readonly NestedChat[]): void {
  if (!Array.isArray(chats)) throw new WeftError("invalid_argument", "Nested chats must be a list.");
  for (const { recipient, summaryMethod } of chats as readonly NestedChat[]) {
    if (typeof (recipient as Partial<Agent> | undefined)?.respond !== "function" || recipient === agent) {
      throw new WeftError("invalid_argument", "A nested chat needs a recipient: another agent.");
    }
    checkSummaryMethod(summaryMethod, agent, recipient);
  }
}

function openingOf({ message }: NestedChat, index: number, { messages, request }: ReplyTurn) {
  if (typeof message === "function") return message(messages, request.contextVariables);
  if (message !== undefined) return message;
  const last = messages.at(-1);
  return index === 0 && last ? { content: last.content ?? "" } : undefined;
}

interface Ended {
  readonly endedBy: EndedBy;
  readonly summary: string;
  readonly state: { readonly room: RoomState; readonly chat: Readonly<Record<string, unknown>> };
}

async function runNested(
  agent: Agent,
  { context, request, asker, emit }: ReplyTurn,
  chat: NestedChat,
  summaries: readonly string[],
  resumed: NestedState | undefined,
): Promise<Ended> {
  const { message, ...options } = chat;
  const carryover = [...listOf(chat.carryover), ...summaries];
  const given = { ...options, message: createMessage(message as AgentMessage), carryover };
  const state = resumed && { room: resumed.room, chat: resumed.chat };
  const driver = twoAgentDriver(agent, chat.recipient, given, { state });
  const ledger = new UsageLedger();
  const ended = await driveNested(driver, context, ledger, (span) => ({
    span,
    signal: context.signal,
    conversationId: context.conversationId,
    contextVariables: request.contextVariables,
    hop: context.hop,
    journal: context.journal && nestedJournal(context.journal, "nested"),
    asker,
    meter: meterOf(context),
    onHumanAnswer: (answer) => scopeOf(context)?.onHumanAnswer?.(answer),
    emit,
  }));
  for (const report of ledger.reports) await emit({ type: "usage", ...report });
  return ended;
}

/** A driver's steps in its span, inside the turn that asked; its events come from inside. */
async function driveNested(
  driver: RunDriver,
  context: AgentContext,
  ledger: UsageLedger,
  settingOf: (span: WeftSpan) => RunSetting,
): Promise<Ended> {
  const opened = openSpan(driver.span);
  try {
    const setting = settingOf(opened.span);
    const endedBy = await opened.run(() => driver.steps(setting));
    const isSuspended = endedBy === "suspended";
    const summary = isSuspended ? "" : await opened.run(() => driver.summarize(setting, ledger));
    opened.span.setAttribute(Attr.chatEndedBy, endedBy);
    opened.end(isSuspended ? Outcomes.suspended : undefined);
    return { endedBy, summary, state: driver.toState() };
  } catch (error) {
    if (context.signal.aborted) opened.end(Outcomes.cancelled);
    opened.fail(error);
    throw error;
  }
}

function listOf(carryover: NestedChat["carryover"] = []): readonly CarryoverItem[] {
  return Array.isArray(carryover) ? (carryover as readonly CarryoverItem[]) : [carryover as CarryoverItem];
}
