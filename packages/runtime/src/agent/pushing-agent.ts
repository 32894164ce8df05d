import type { Agent, AgentContext, AgentRequest } from "./agent.ts";
import type { AgentYield } from "./event.ts";
import { iteratePushed } from "./iterate-pushed.ts";

/** Takes an event at once. A promise says that whoever reads is behind: wait for it before making more. */
export type Emit<Event> = (event: Event) => Promise<void> | void;

/** How an agent of this house answers: it pushes what it makes, and its promise settles when the turn is over. */
export const pushReply: unique symbol = Symbol("weft.pushReply");

/**
 * An agent that pushes its events to whoever takes its turn, which costs a call where `respond` costs promises for
 * each. `respond` is made of the same; a subclass that has its own is asked by that one.
 */
export abstract class PushingAgent implements Agent {
  abstract readonly name: string;

  abstract [pushReply](request: AgentRequest, context: AgentContext, emit: Emit<AgentYield>): Promise<void>;

  /** One turn, for whoever reads it event by event. */
  respond(request: AgentRequest, context: AgentContext): AsyncGenerator<AgentYield> {
    return iteratePushed<AgentYield, void>(context.signal, (emit, signal) =>
      this[pushReply](request, { ...context, signal }, emit),
    );
  }
}

/** Whether `agent` answers by {@link pushReply}: also a subclass may have overridden `respond`. */
export function isPushing(agent: Agent): agent is PushingAgent {
  return agent.respond === PushingAgent.prototype.respond;
}
