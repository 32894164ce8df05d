/*
 * Who may speak next (SEMANTICS G2), and for everyone else why not.
 */
import type { Agent, AgentMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { TransitionGraph } from "./transitions.ts";

export interface EligibilityRules {
  readonly agents: readonly Agent[];
  readonly graph: TransitionGraph | undefined;
  /** `false`: nobody twice in a row; a list: only these. */
  readonly allowRepeatSpeaker: boolean | readonly Agent[];
}

export interface Exclusion {
  readonly agent: Agent;
  readonly reason: string;
}

export interface Eligibility {
  readonly candidates: readonly Agent[];
  readonly excluded: readonly Exclusion[];
  /** Set when a rule alone decided, without a choice among candidates. */
  readonly decided?: string;
}

/** What tells an agent that runs tools; agents without these run none. */
interface ToolRunner {
  readonly hasTools: boolean;
  canRunTool(name: string): boolean;
}

/** Raises `failed_precondition` when tool calls wait and nobody in the group has tools. */
export function findEligible(
  rules: EligibilityRules,
  lastSpeaker: Agent | undefined,
  lastMessage: AgentMessage | undefined,
): Eligibility {
  const excluded: Exclusion[] = [];
  const narrow = (
    from: readonly Agent[],
    keep: (agent: Agent) => boolean,
    reason: string,
  ): readonly Agent[] =>
    from.filter((agent) => {
      if (keep(agent)) return true;
      excluded.push({ agent, reason });
      return false;
    });

  let candidates = rules.agents;
  const calls = lastMessage?.toolCalls ?? [];
  if (calls.length > 0) {
    const runners = candidates.filter((agent) => calls.every(({ name }) => canRun(agent, name)));
    candidates = narrow(candidates, runnersOr(runners), "cannot run the waiting tool calls");
    if (candidates.length === 0) throw nobodyRuns(calls.map(({ name }) => name));
    if (runners.length === 1)
      return { candidates, excluded, decided: "the only one that can run the tool calls" };
  }
  const { allowRepeatSpeaker, graph } = rules;
  const mayRepeat =
    allowRepeatSpeaker === true ||
    (lastSpeaker && allowRepeatSpeaker !== false && allowRepeatSpeaker.includes(lastSpeaker));
  if (!mayRepeat) candidates = narrow(candidates, (agent) => agent !== lastSpeaker, "spoke last");
  const next = graph && lastSpeaker ? graph.get(lastSpeaker) : undefined;
  if (next) {
    candidates = narrow(candidates, (agent) => next.has(agent), `no transition from ${lastSpeaker?.name}`);
  }
  return { candidates, excluded };
}

function runnersOr(runners: readonly Agent[]): (agent: Agent) => boolean {
  if (runners.length > 0) return (agent) => runners.includes(agent);
  return (agent) => (agent as Partial<ToolRunner>).hasTools === true;
}

function canRun(agent: Agent, tool: string): boolean {
  return (agent as Partial<ToolRunner>).canRunTool?.(tool) === true;
}

function nobodyRuns(names: readonly string[]): WeftError {
  return new WeftError(
    "failed_precondition",
    `Nobody in the group can run ${names.map((name) => `"${name}"`).join(", ")}: register the tools for execution on a member.`,
  );
}
