/*
 * Who speaks next by handoffs (SEMANTICS H2), before the group's own method is asked.
 */
import type { Agent, AgentMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { NestedChat } from "../chat/nested-chat.ts";
import type { Guardrail } from "./guardrail.ts";
import type { AfterWork, Handoff } from "./handoff.ts";
import { checkAfterWork, resolveAfterWork, targetsOf } from "./handoff.ts";
import type { Target } from "./target.ts";
import { isSpecialTarget, memberOf } from "./target.ts";

/** What an agent says of its handoffs; others say nothing. */
interface HandingOff {
  readonly handoffs?: readonly Handoff[];
  readonly afterWork?: AfterWork | undefined;
  readonly guardrails?: readonly Guardrail[];
}

/** A target with where it stands, in words: the same in every process that makes the same group. */
interface Placed {
  readonly target: Target;
  readonly place: string;
}

export interface HandoffRules {
  readonly agents: readonly Agent[];
  readonly initialAgent: Agent | undefined;
  /** Who stands for the human among the members. */
  readonly user: Agent | undefined;
  readonly afterWork: AfterWork | undefined;
  /** Whether anything of the group's goes by handoffs; a tool's target is obeyed anyway. */
  readonly isUsed: boolean;
  /** The chats of every `target.nested` that is named beforehand, by its place: a suspended one is found again by it. */
  readonly nested: ReadonlyMap<string, readonly NestedChat[]>;
}

export interface HandoffOptions {
  readonly agents: readonly Agent[];
  readonly initialAgent?: Agent | string | undefined;
  readonly user?: Agent | string | undefined;
  readonly afterWork?: AfterWork | undefined;
  readonly isHandoffMethod: boolean;
}

/** Raises `invalid_argument` for targets outside the group, and for ones that need what the group has not. */
export function toHandoffRules(options: HandoffOptions): HandoffRules {
  const { agents, afterWork, isHandoffMethod } = options;
  const find = (given: Agent | string | undefined, what: string): Agent | undefined =>
    given === undefined ? undefined : memberOf(given, agents, what);
  const initialAgent = find(options.initialAgent, "initialAgent");
  const user = find(options.user, "user");
  checkAfterWork(afterWork, "The group's afterWork");
  const given = [...agents.flatMap(placedOf), ...placed(targetsOf(afterWork), "afterWork", "the group")];
  for (const { target, place } of given) checkMember(target, agents, user, place);
  const isUsed = isHandoffMethod || afterWork !== undefined || agents.some(handsOff);
  return { agents, initialAgent, user, afterWork, isUsed, nested: nestedOf(given) };
}

function placedOf(agent: Agent): readonly Placed[] {
  const { handoffs = [], afterWork, guardrails = [] } = agent as HandingOff;
  const guarded = guardrails.flatMap(({ target }) => (target === undefined ? [] : [target]));
  const name = `"${agent.name}"`;
  return [
    ...placed(
      handoffs.map(({ target }) => target),
      "handoff",
      name,
    ),
    ...placed(targetsOf(afterWork), "afterWork", name),
    ...placed(guarded, "guardrail", name),
  ];
}

function placed(targets: readonly Target[], what: string, owner: string): readonly Placed[] {
  return targets.map((target, index) => ({ target, place: `${what} ${index + 1} of ${owner}` }));
}

function handsOff(agent: Agent): boolean {
  const { handoffs = [], afterWork } = agent as HandingOff;
  return handoffs.length > 0 || targetsOf(afterWork).length > 0;
}

function nestedOf(given: readonly Placed[]): ReadonlyMap<string, readonly NestedChat[]> {
  return new Map(
    given.flatMap(({ target, place }) =>
      isSpecialTarget(target) && target.kind === "nested" ? [[place, target.chats]] : [],
    ),
  );
}

function checkMember(target: Target, agents: readonly Agent[], user: Agent | undefined, what: string): void {
  memberOf(target, agents, `The target of ${what}`);
  if (isSpecialTarget(target) && target.kind === "revertToUser" && !user) {
    throw new WeftError("invalid_argument", `The ${what} reverts to the user: give the group a user.`);
  }
}

export interface HandoffState {
  readonly lastSpeaker: Agent | undefined;
  /** Who spoke before the last speaker, and before that one a tool's result. */
  readonly before: Agent | undefined;
  readonly lastMessage: AgentMessage | undefined;
  readonly variables: Record<string, unknown>;
}

export interface NextTarget {
  readonly target: Target;
  readonly reason: string;
}

/** Undefined: the group's method decides. */
export async function nextByHandoff(
  rules: HandoffRules,
  { lastSpeaker, before, lastMessage, variables }: HandoffState,
): Promise<NextTarget | undefined> {
  if (!lastSpeaker) {
    return rules.initialAgent && { target: rules.initialAgent, reason: "the initial agent" };
  }
  if (!rules.isUsed) return undefined;
  if (lastMessage?.toolResponses?.length && before) {
    return { target: before, reason: "the tool calls were its own" };
  }
  const own = await resolveAfterWork((lastSpeaker as HandingOff).afterWork, variables);
  if (own === undefined && lastSpeaker === rules.user && before) {
    return { target: before, reason: "the user answered it" };
  }
  if (own !== undefined) return { target: own, reason: `after ${lastSpeaker.name}'s work` };
  const groups = await resolveAfterWork(rules.afterWork, variables);
  return groups === undefined ? undefined : { target: groups, reason: "after work, by the group" };
}

/** The first handoff of an agent whose `when` holds: it is taken before the agent speaks, without a model. */
export async function takenByContext(
  agent: Agent,
  variables: Record<string, unknown>,
): Promise<Target | undefined> {
  for (const { target, condition, available } of (agent as HandingOff).handoffs ?? []) {
    if (condition.when && (await available(variables)) && (await condition.when(variables))) return target;
  }
  return undefined;
}
