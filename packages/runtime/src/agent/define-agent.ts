import { WeftError } from "@weft/tracing";
import type { Agent, AgentContext, AgentRequest, AgentSkill } from "./agent.ts";
import type { AgentYield } from "./event.ts";

export interface AgentDefinition {
  /** Non-empty, unique in a chat. */
  readonly name: string;
  /** For people and for speaker selection; public: it stands on the agent's card. */
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
  /** Yields strings (the text as it comes), one message, or events. */
  respond(request: AgentRequest, context: AgentContext): AsyncIterable<AgentYield>;
}

/**
 * An agent from a function. It is a chat's member, a recipient, and can be served.
 *
 * @throws WeftError `invalid_argument` for a name that is empty or not a string
 */
export function defineAgent(definition: AgentDefinition): Agent {
  const { name, description, skills } = definition;
  if (typeof name !== "string" || name.trim() === "") {
    throw new WeftError("invalid_argument", "An agent needs a name: a non-empty string.");
  }
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(skills === undefined ? {} : { skills }),
    respond: (request, context) => definition.respond(request, context),
  };
}
