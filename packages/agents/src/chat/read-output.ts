import type { Agent, AgentMessage } from "@weft/runtime/agent";

/** An agent whose answers have a form. */
export interface OutputReader extends Agent {
  readOutput(message: AgentMessage): Promise<unknown>;
}

/** What the last message of an agent with a `responseFormat` says, read by it; undefined when there is none. */
export function readOutput(
  messages: readonly AgentMessage[],
  agents: readonly Agent[],
): Promise<unknown> | undefined {
  const readerOf = ({ name }: AgentMessage): OutputReader | undefined =>
    agents.find((agent): agent is OutputReader => agent.name === name && isReader(agent));
  const last = messages.findLast((message) => !message.toolCalls && readerOf(message));
  return last && readerOf(last)?.readOutput(last);
}

function isReader(agent: Agent): agent is OutputReader {
  return typeof (agent as Partial<OutputReader>).readOutput === "function";
}
