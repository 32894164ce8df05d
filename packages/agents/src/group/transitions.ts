/*
 * The transition graph (SEMANTICS G3): who may speak after whom.
 */
import type { Agent } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";

/** By speaker's name: the agents, or their names. */
export type TransitionTable = Readonly<Record<string, readonly (Agent | string)[]>>;

export interface TransitionOptions {
  /** Who may speak after whom. A speaker without a key is a sink: the chat ends after it. */
  readonly allowedTransitions?: TransitionTable | undefined;
  /** Who may not; everyone else may. */
  readonly disallowedTransitions?: TransitionTable | undefined;
}

/** For each agent, those that may speak next. An empty set is a sink. */
export type TransitionGraph = ReadonlyMap<Agent, ReadonlySet<Agent>>;

export interface CheckedTransitions {
  readonly graph: TransitionGraph;
  /** What is allowed but looks like a mistake. */
  readonly warnings: readonly string[];
}

/** Undefined when no table is given. Raises `invalid_argument` for both tables, unknown agents and values that are no lists. */
export function checkTransitions(
  { allowedTransitions, disallowedTransitions }: TransitionOptions,
  agents: readonly Agent[],
): CheckedTransitions | undefined {
  if (allowedTransitions && disallowedTransitions) {
    throw new WeftError("invalid_argument", "Give allowedTransitions or disallowedTransitions, not both.");
  }
  const table = allowedTransitions ?? disallowedTransitions;
  if (!table) return undefined;
  const warnings: string[] = [];
  const listed = readTable(table, agents, warnings);
  const graph = new Map<Agent, ReadonlySet<Agent>>();
  for (const agent of agents) {
    const named = listed.get(agent);
    if (allowedTransitions) graph.set(agent, named ?? new Set());
    else graph.set(agent, new Set(agents.filter((other) => !named?.has(other))));
  }
  warnings.push(...describeDeadEnds(graph, listed, Boolean(allowedTransitions)));
  return { graph, warnings };
}

function readTable(
  table: TransitionTable,
  agents: readonly Agent[],
  warnings: string[],
): ReadonlyMap<Agent, ReadonlySet<Agent>> {
  if (typeof table !== "object" || Array.isArray(table)) {
    throw new WeftError(
      "invalid_argument",
      "Transitions must be an object: speaker's name to a list of agents.",
    );
  }
  const listed = new Map<Agent, ReadonlySet<Agent>>();
  for (const [speaker, next] of Object.entries(table)) {
    if (!Array.isArray(next)) {
      throw new WeftError(
        "invalid_argument",
        `Transitions of "${speaker}" must be a list of agents or names.`,
      );
    }
    const targets = new Set(next.map((each: Agent | string) => findAgent(each, agents)));
    if (targets.size < next.length) warnings.push(`Transitions of "${speaker}" name an agent twice.`);
    listed.set(findAgent(speaker, agents), targets);
  }
  return listed;
}

function findAgent(wanted: Agent | string, agents: readonly Agent[]): Agent {
  const found = agents.find((agent) =>
    typeof wanted === "string" ? agent.name === wanted : agent === wanted,
  );
  if (found) return found;
  const name = typeof wanted === "string" ? wanted : (wanted as Partial<Agent> | null)?.name;
  throw new WeftError(
    "invalid_argument",
    `Transitions name "${String(name)}", which is no member of the group.`,
  );
}

function describeDeadEnds(
  graph: TransitionGraph,
  listed: ReadonlyMap<Agent, ReadonlySet<Agent>>,
  isAllowList: boolean,
): readonly string[] {
  const reachable = new Set(
    [...graph].flatMap(([speaker, next]) => [...next].filter((agent) => agent !== speaker)),
  );
  return [...graph.keys()].flatMap((agent) => {
    const leads = [...(graph.get(agent) ?? [])].some((next) => next !== agent);
    if (!leads && !reachable.has(agent))
      return [`Agent "${agent.name}" is isolated: no transition leads to or from it.`];
    if (isAllowList && !listed.has(agent))
      return [`Agent "${agent.name}" has no transitions: the chat ends after it.`];
    return [];
  });
}
