import type { Agent, AgentContext } from "@weft/runtime/agent";

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

export interface ChatScope {
  /** Who is answered: the peer, or in a group the group. */
  readonly sender: Agent;
  /** One chat of a room that holds several, one after another: counters start anew with each. */
  readonly chatId?: string;
  readonly onHumanAnswer?: (answer: HumanAnswer) => void;
}

const scopes = new WeakMap<AgentContext, ChatScope>();

export function setScope(context: AgentContext, scope: ChatScope): AgentContext {
  scopes.set(context, scope);
  return context;
}

export function scopeOf(context: AgentContext): ChatScope | undefined {
  return scopes.get(context);
}
