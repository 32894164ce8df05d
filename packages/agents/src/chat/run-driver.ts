/*
 * What a run is told, and what it drives.
 */
import type { AgentEvent, AgentMessage, Budget, Emit, EndedBy, Hop, Journal } from "@weft/runtime/agent";
import type { Attributes, WeftSpan } from "@weft/tracing/internal";
import type { HumanInputAnswer } from "../agent/human-answer.ts";
import type { BudgetMeter } from "./budget-meter.ts";
import type { ChatState, RoomState } from "./chat-state.ts";
import type { Asker, HumanAnswer } from "./scope.ts";
import type { UsageLedger } from "./usage-ledger.ts";

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Default: the conversation this code runs in, else a new one. */
  readonly conversationId?: string;
  /** Shared by the chat's members; copied, never changed in place. Default: none. */
  readonly contextVariables?: Readonly<Record<string, unknown>>;
  /** `true`: leaving the loop cancels nothing. */
  readonly detached?: boolean;
  /** What the chat may spend, remote members included; it ends with `budget` when that is spent. */
  readonly budget?: Budget;
}

/** Of a run that goes on from a state. */
export interface ResumedRun {
  readonly state?: ChatState | undefined;
  /** Answers to the state's `pending` requests, by id. */
  readonly answers?: Readonly<Record<string, HumanInputAnswer>> | undefined;
}

/** What a driver is given. */
export interface RunSetting {
  readonly span: WeftSpan;
  readonly signal: AbortSignal;
  readonly conversationId: string;
  readonly contextVariables: Record<string, unknown>;
  readonly hop: Hop;
  /** Of the turn in which this chat is held: of a nested chat. */
  readonly journal?: Journal | undefined;
  readonly asker: Asker | undefined;
  readonly meter: BudgetMeter | undefined;
  readonly onHumanAnswer: (answer: HumanAnswer) => void;
  readonly emit: Emit<AgentEvent>;
}

/** What runs: its span, its steps, and how to tell what was said so far. */
export interface RunDriver {
  readonly kind: ChatState["kind"];
  /** The name on the run's own events. */
  readonly from: string;
  readonly span: { readonly name: string; readonly type: string; readonly attributes: Attributes };
  /** Holds the chat, to its end. */
  steps(setting: RunSetting): Promise<EndedBy>;
  history(): readonly AgentMessage[];
  /** Asked once, after a plain end, while the run's span is still open; not of a chat that is suspended: it goes on. */
  summarize(setting: RunSetting, usage: UsageLedger): Promise<string>;
  /** The last message as its agent's `responseFormat` reads it. */
  output?(): Promise<unknown> | undefined;
  /** Asked when the chat is suspended. */
  toState(): { readonly room: RoomState; readonly chat: Readonly<Record<string, unknown>> };
}
