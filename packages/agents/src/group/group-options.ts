import type { Agent, AgentSkill, Budget } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { HumanInput } from "../agent/human-answer.ts";
import type { IsTerminationMessage } from "../agent/termination.ts";
import { isDefaultTermination } from "../agent/termination.ts";
import { checkBudget } from "../chat/budget-meter.ts";
import type { AfterWork } from "../handoff/handoff.ts";
import { toHandoffRules } from "../handoff/handoff-rules.ts";
import type { ModelInput } from "../model/model-of.ts";
import { modelOf } from "../model/model-of.ts";
import type { GroupRules } from "./group-session.ts";
import type { SelectionFunction, SelectionMethod } from "./methods.ts";
import { parseMethod } from "./methods.ts";
import type { TransitionOptions, TransitionTable } from "./transitions.ts";
import { checkTransitions } from "./transitions.ts";

export interface GroupChatOptions extends TransitionOptions {
  /** At least one; names are unique. */
  readonly agents: readonly Agent[];
  /** Default `group`. */
  readonly name?: string;
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
  /** Default `auto`. Names are read whatever their case. */
  readonly speakerSelection?: SelectionMethod | SelectionFunction | (string & {});
  /** Whom `auto` asks. */
  readonly selectorModel?: ModelInput;
  /** How often `auto` asks again when the answer names no single candidate; default 2. */
  readonly maxSelectionRetries?: number;
  /** Messages in all, the opening included; default 10. */
  readonly maxRound?: number;
  /** Whether one may speak twice in a row; a list: only these. Default true. */
  readonly allowRepeatSpeaker?: boolean | readonly Agent[];
  /** Default: the text is exactly `TERMINATE`. */
  readonly isTerminationMessage?: IsTerminationMessage;
  /** Tells every member who takes part, before the opening. Default false. */
  readonly sendIntroductions?: boolean;
  /** Who chooses when `speakerSelection` is `manual`. */
  readonly humanInput?: HumanInput;
  /** Who answers an outsider's message first. */
  readonly initialAgent?: Agent | string;
  /** The member that stands for the human; it is added to the members if it is none. */
  readonly user?: Agent;
  /** Shared by the members; a run's own are laid over them. */
  readonly contextVariables?: Readonly<Record<string, unknown>>;
  /** Where the conversation goes when nothing else decided; default: the method says, and `handoffs` ends the chat. */
  readonly afterWork?: AfterWork;
  /** What each run may spend. */
  readonly budget?: Budget;

  /** AG2's spelling of `speakerSelection`. */
  readonly speakerSelectionMethod?: GroupChatOptions["speakerSelection"];
  /** AG2's spelling of `isTerminationMessage`. */
  readonly isTerminationMsg?: IsTerminationMessage;
  /** AG2's spelling of `allowedTransitions` or `disallowedTransitions`, as `speakerTransitionsType` says. */
  readonly allowedOrDisallowedSpeakerTransitions?: TransitionTable;
  readonly speakerTransitionsType?: "allowed" | "disallowed";
}

/** Checks a group's options and puts in the defaults. Warns of what looks like a mistake. */
export function toRules(options: GroupChatOptions): GroupRules {
  const agents = membersOf(options);
  const { name = "group", maxRound = 10, maxSelectionRetries = 2, allowRepeatSpeaker = true } = options;
  checkAgents(agents);
  if (typeof name !== "string" || name.trim() === "") {
    throw new WeftError("invalid_argument", "A group's name must be a non-empty string.");
  }
  checkCount("maxRound", maxRound, 1);
  checkCount("maxSelectionRetries", maxSelectionRetries, 0);
  const method = parseMethod(options.speakerSelection ?? options.speakerSelectionMethod ?? "auto");
  checkBudget(options.budget);
  const transitions = checkTransitions(readTransitions(options), agents);
  if (transitions && allowRepeatSpeaker !== true) {
    throw new WeftError("invalid_argument", "Transitions say who may repeat: leave allowRepeatSpeaker out.");
  }
  warn(name, options.agents, transitions?.warnings ?? []);
  const { initialAgent, user, afterWork } = options;
  const isHandoffMethod = method === "handoffs";
  return {
    name,
    handoffs: toHandoffRules({ agents, initialAgent, user, afterWork, isHandoffMethod }),
    agents: [...agents],
    method,
    graph: transitions?.graph,
    allowRepeatSpeaker,
    selectorModel:
      options.selectorModel === undefined ? undefined : modelOf(options.selectorModel, "selectorModel"),
    maxSelectionRetries,
    humanInput: options.humanInput,
    maxRound,
    sendIntroductions: options.sendIntroductions ?? false,
    isTerminationMessage: options.isTerminationMessage ?? options.isTerminationMsg ?? isDefaultTermination,
  };
}

/** A list that is no list is told of by the check. */
function membersOf({ agents, user }: GroupChatOptions): readonly Agent[] {
  return user && Array.isArray(agents) && !agents.includes(user) ? [...agents, user] : agents;
}

/** Teams that were warned of: a manager checks its group's rules again. */
const warned = new WeakSet<readonly Agent[]>();

function warn(name: string, agents: readonly Agent[], warnings: readonly string[]): void {
  if (warned.has(agents)) return;
  warned.add(agents);
  for (const warning of warnings) {
    process.emitWarning(`Group "${name}": ${warning}`, { code: "WEFT_GROUP_TRANSITIONS" });
  }
}

function checkAgents(agents: unknown): void {
  if (!Array.isArray(agents) || agents.length === 0) {
    throw new WeftError("invalid_argument", "A group needs at least one agent.");
  }
  const names = new Set<string>();
  for (const agent of agents as readonly Partial<Agent>[]) {
    if (typeof agent?.respond !== "function" || typeof agent.name !== "string" || agent.name.trim() === "") {
      throw new WeftError("invalid_argument", "Every member of a group must be an agent with a name.");
    }
    if (names.has(agent.name)) {
      throw new WeftError(
        "invalid_argument",
        `Two members are named "${agent.name}": names are unique in a group.`,
      );
    }
    names.add(agent.name);
  }
}

function checkCount(option: string, value: number, least: number): void {
  if (value === Infinity || (Number.isInteger(value) && value >= least)) return;
  throw new WeftError(
    "invalid_argument",
    `${option} must be a whole number, ${least} or more, not ${String(value)}.`,
  );
}

function readTransitions(options: GroupChatOptions): TransitionOptions {
  const { allowedOrDisallowedSpeakerTransitions: table, speakerTransitionsType: type } = options;
  const { allowedTransitions, disallowedTransitions } = options;
  if (table === undefined) return { allowedTransitions, disallowedTransitions };
  if (type !== "allowed" && type !== "disallowed") {
    throw new WeftError("invalid_argument", 'speakerTransitionsType must be "allowed" or "disallowed".');
  }
  if (allowedTransitions ?? disallowedTransitions) {
    throw new WeftError("invalid_argument", "Transitions are given twice, in two spellings.");
  }
  return type === "allowed" ? { allowedTransitions: table } : { disallowedTransitions: table };
}
