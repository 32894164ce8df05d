import type { Agent, AgentMessage } from "@weft/runtime/agent";

/** An agent whose answers have a form. */
export interface OutputReader {
  readOutput(message: AgentMessage): Promise<unknown>;
}

/** What the last message of an agent with a `responseFormat` says, read by it; undefined when there is none. */
export async function readOutput(
  messages: readonly AgentMessage[],
  agents: readonly Agent[],
): Promise<unknown> {
  const readers = new Map<string, OutputReader>();
  for (const agent of agents) {
    const { readOutput: read } = agent as Partial<OutputReader>;
    if (typeof read === "function") readers.set(agent.name, agent as Agent & OutputReader);
  }
  if (readers.size === 0) return undefined;
  const last = messages.findLast(
    ({ name, toolCalls }) => name !== undefined && readers.has(name) && !toolCalls,
  );
  return last && readers.get(last.name ?? "")?.readOutput(last);
}
