import type { AgentMessage, InputRequest, ToolResponse } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { AutoReplyCounter } from "./auto-reply-counter.ts";
import { changeSession, readSession } from "./agent-session.ts";
import type { HumanInput, HumanInputMode } from "./human-answer.ts";
import { askHuman, requestOnce, toText } from "./human-input.ts";
import type { ReplyOutcome, ReplyStep, ReplyTurn } from "./reply-chain.ts";
import type { IsTerminationMessage } from "./termination.ts";

export interface HumanStepOptions {
  readonly name: string;
  readonly mode: HumanInputMode;
  readonly humanInput: HumanInput | undefined;
  readonly maxConsecutiveAutoReply: number;
  readonly isTerminationMessage: IsTerminationMessage;
}

/** Termination and human input (SEMANTICS T1 to T4): the first step of the default chain. */
export function humanStep(options: HumanStepOptions): ReplyStep {
  return (turn) => {
    const last = turn.messages.at(-1);
    if (!last || isTakenUp(options.name, last, turn)) return undefined;
    const counter = new AutoReplyCounter(turn.context, senderName(turn, last));
    const isTermination = options.isTerminationMessage(last);
    const isSpent = counter.count >= options.maxConsecutiveAutoReply;
    const asks = options.mode === "ALWAYS" || (options.mode === "TERMINATE" && (isTermination || isSpent));
    if (!asks && !isTermination && !isSpent) return undefined;
    const endedBy = isTermination ? "termination" : "maxAutoReply";
    if (!asks) return end(counter, endedBy);
    return askForReply(options, turn, last, { counter, isTermination, endedBy });
  };
}

/** The human's word, or what stands for it when nobody answers. */
async function askForReply(
  { name, mode, humanInput, maxConsecutiveAutoReply }: HumanStepOptions,
  { context, asker, emit }: ReplyTurn,
  last: AgentMessage,
  { counter, isTermination, endedBy }: Pending,
): Promise<ReplyOutcome | undefined> {
  const prompt = promptFor(last, isTermination);
  const request = requestOnce(context, { kind: "reply", agent: name, prompt });
  const answered = await askHuman({ request, humanInput, context, asker, emit });
  if (typeof answered === "object") {
    const isSilent = maxConsecutiveAutoReply === 0;
    return conclude(toText(answered.answer), last, { counter, isTermination, isSilent });
  }
  if (answered === "suspend" || mode === "ALWAYS") return suspended;
  changeSession(context, { pending: undefined });
  return end(counter, endedBy);
}

/** Why a human is asked, and how the chat ends if nobody is. */
interface Pending {
  readonly counter: AutoReplyCounter;
  readonly isTermination: boolean;
  readonly endedBy: "termination" | "maxAutoReply";
}

const suspended: ReplyOutcome = { final: true, reply: null, endedBy: "suspended" };

/** A turn that goes on with its own tool calls, or whose human was asked before it was suspended. */
function isTakenUp(name: string, last: AgentMessage, { context }: ReplyTurn): boolean {
  return (last.name === name && Boolean(last.toolCalls?.length)) || readSession(context).askedFor === last.id;
}

interface Standing {
  readonly counter: AutoReplyCounter;
  readonly isTermination: boolean;
  /** No automatic reply at all: an empty answer is the human's, and empty. */
  readonly isSilent: boolean;
}

function conclude(answer: string, last: AgentMessage, standing: Standing): ReplyOutcome | undefined {
  const { counter, isTermination, isSilent } = standing;
  if (answer === "exit") return end(counter, "human");
  if (answer === "" && isTermination) return end(counter, "termination");
  if (answer === "" && !isSilent) return undefined;
  counter.reset();
  return { final: true, reply: { content: answer, ...interrupted(last) }, isHuman: true };
}

function end(counter: AutoReplyCounter, endedBy: "termination" | "maxAutoReply" | "human"): ReplyOutcome {
  counter.reset();
  return { final: true, reply: null, endedBy };
}

/** Calls that wait for an answer get one: the human spoke instead (SEMANTICS T4). */
function interrupted(last: AgentMessage): { readonly toolResponses?: readonly ToolResponse[] } {
  if (!last.toolCalls?.length) return {};
  return {
    toolResponses: last.toolCalls.map(({ id, name }) => ({
      toolCallId: id,
      name,
      content: "USER INTERRUPTED",
    })),
  };
}

function promptFor(last: AgentMessage, isTermination: boolean): InputRequest["prompt"] {
  const said = messageText(last);
  const from = last.name ?? "the other side";
  const hint = isTermination
    ? "Empty or `exit` ends the chat."
    : "Empty lets the automatic reply go on, `exit` ends the chat.";
  return `${said ? `${from}: ${said}\n` : ""}Your reply? ${hint}`;
}

export function senderName({ sender }: ReplyTurn, last: AgentMessage | undefined): string {
  return (typeof sender === "string" ? sender : sender?.name) ?? last?.name ?? "";
}
