import type { Agent, AgentContext, InputRequest } from "@weft/runtime/agent";
import type { HumanInputAnswer } from "../agent/human-answer.ts";
import type { Target } from "../handoff/target.ts";
import type { BudgetMeter } from "./budget-meter.ts";

/*
 * What a chat in this process tells its members beyond `AgentContext`, which also crosses wires. A member that runs
 * elsewhere has no scope and does without.
 */

/** One answer that a human gave. */
export interface HumanAnswer {
  readonly agent: string;
  readonly prompt: string;
  readonly answer: string;
}

/** What came of a question: an answer, the wish to suspend, or nobody who could be asked. */
export type Answered = { readonly answer: HumanInputAnswer } | "suspend" | "nobody";

/** Whom a chat's members ask when they have no `humanInput` of their own. */
export interface Asker {
  /** An answer that came before the question is put again: given to `resume`, or sent by a service's caller. */
  known(requestId: string): HumanInputAnswer | undefined;
  /** Waits for an answer; the question's event must have been yielded before. */
  answerTo(request: InputRequest): Promise<Answered>;
}

export interface ChatScope {
  /** Who is answered: the peer, or in a group the group. */
  readonly sender: Agent;
  /** One chat of a room that holds several, one after another: counters start anew with each. */
  readonly chatId?: string;
  readonly onHumanAnswer?: (answer: HumanAnswer) => void;
  readonly asker?: Asker | undefined;
  readonly meter?: BudgetMeter | undefined;
  /** Where a tool or a guardrail sends the conversation; the last one counts. Absent: nobody listens. */
  readonly onTarget?: ((target: Target, reason: string) => void) | undefined;
  /** Whether the group goes by handoffs: tool calls then run one at a time, and transfers are offered as tools. */
  readonly usesHandoffs?: boolean;
}

/** On the context itself, not beside it: a weak map of short-lived keys costs more than the rest of a turn. */
const scopeKey = Symbol("weft.scope");

interface Scoped {
  [scopeKey]?: ChatScope;
}

export function setScope(context: AgentContext, scope: ChatScope): AgentContext {
  (context as AgentContext & Scoped)[scopeKey] = scope;
  return context;
}

export function scopeOf(context: AgentContext): ChatScope | undefined {
  return (context as AgentContext & Scoped)[scopeKey];
}
