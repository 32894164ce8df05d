/*
 * What a selection goes by, and what it comes to.
 */
import type {
  Agent,
  AgentContext,
  AgentMessage,
  EndedBy,
  InputRequest,
  UsageReport,
} from "@weft/runtime/agent";
import type { HumanInput } from "../agent/human-answer.ts";
import type { BudgetMeter } from "../chat/budget-meter.ts";
import type { NestedChat } from "../chat/nested-chat.ts";
import type { Answered } from "../chat/scope.ts";
import type { NextTarget } from "../handoff/handoff-rules.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { SelectorTranscript } from "./auto-selector.ts";
import type { EligibilityRules } from "./eligibility.ts";
import type { SelectionFunction, SelectionMethod } from "./methods.ts";

export interface SelectionRules extends EligibilityRules {
  /** The group's name. */
  readonly name: string;
  readonly method: SelectionMethod | SelectionFunction;
  readonly selectorModel: ChatModel | undefined;
  readonly maxSelectionRetries: number;
  readonly humanInput: HumanInput | undefined;
}

export interface SelectionState {
  readonly lastSpeaker: Agent | undefined;
  readonly messages: readonly AgentMessage[];
  readonly contextVariables: Record<string, unknown>;
  readonly transcript: SelectorTranscript;
  /** Who a human is asked for, and the signal. */
  readonly context: AgentContext;
  /** Puts a question to whoever answers for a human here. */
  readonly ask: (request: Omit<InputRequest, "id">) => Promise<Answered>;
  readonly meter: BudgetMeter | undefined;
  /** Where the conversation is sent: no method is asked then. */
  readonly next: NextTarget | undefined;
  /** Who spoke last but one, and who its tools speak for. */
  readonly user: Agent | undefined;
}

export interface Selection {
  /** Undefined: nobody may speak, or the function said so. */
  readonly speaker: Agent | undefined;
  readonly method: string;
  readonly candidates: readonly string[];
  readonly reason: string;
  readonly usage: readonly UsageReport[];
  readonly spanId: string;
  /** The chats that are held instead of a member's turn. */
  readonly nested?: readonly NestedChat[];
  /** Why nobody speaks, when that is not for want of a candidate. */
  readonly endedBy?: EndedBy;
}

/** Who speaks, before the span is told. */
export interface Choice {
  readonly speaker: Agent | undefined;
  readonly reason: string;
  readonly isFallback?: boolean;
  readonly nested?: readonly NestedChat[];
  readonly endedBy?: EndedBy;
}
