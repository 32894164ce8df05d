import type { Agent, AgentMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";

/** How a group chooses by itself. */
export type SelectionMethod = "auto" | "roundRobin" | "random" | "manual" | "handoffs";

/** What a selection function is told. */
export interface SelectionView {
  /** Undefined when an outsider spoke last. */
  readonly lastSpeaker: Agent | undefined;
  /** Who would be eligible by the group's rules; the function need not keep to it. */
  readonly candidates: readonly Agent[];
  readonly agents: readonly Agent[];
  readonly messages: readonly AgentMessage[];
  readonly contextVariables: Record<string, unknown>;
}

type Choice = Agent | string | null;

/** Gives an agent, its name, a method's name, or null to end the chat. */
export type SelectionFunction = (view: SelectionView) => Choice | Promise<Choice>;

const methods: Readonly<Record<string, SelectionMethod>> = {
  auto: "auto",
  roundrobin: "roundRobin",
  round_robin: "roundRobin",
  random: "random",
  manual: "manual",
  handoffs: "handoffs",
  // AG2's name for the pattern that goes by handoffs alone.
  default: "handoffs",
};

/** Methods by name, whatever the case; AG2's `round_robin` too. Undefined for another text. */
export function findMethod(name: string): SelectionMethod | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(methods, key) ? methods[key] : undefined;
}

export function parseMethod(given: unknown): SelectionMethod | SelectionFunction {
  if (typeof given === "function") return given as SelectionFunction;
  const method = typeof given === "string" ? findMethod(given) : undefined;
  if (method) return method;
  throw new WeftError(
    "invalid_argument",
    `speakerSelection must be auto, roundRobin, random, manual, handoffs or a function, not "${String(given)}".`,
  );
}

/**
 * The next in list order after `last` that is a candidate; after an outsider the first (SEMANTICS G6).
 * Raises `invalid_argument` when no candidate is in the list.
 */
export function nextInOrder(
  agents: readonly Agent[],
  candidates: readonly Agent[],
  last: Agent | undefined,
): Agent {
  const start = last ? agents.indexOf(last) + 1 : 0;
  for (let step = 0; step < agents.length; step++) {
    const agent = agents[(start + step) % agents.length];
    if (agent && candidates.includes(agent)) return agent;
  }
  throw new WeftError("invalid_argument", "None of the candidates is a member of the group.");
}
