import type { Agent, AgentContext } from "@weft/runtime/agent";
import { createAgentContext } from "@weft/runtime/agent";
import type { RunSetting } from "./run-driver.ts";
import { setScope } from "./scope.ts";

/** A context for what a chat asks of an agent before anyone's first turn. */
export function openingContext(agent: Agent, setting: RunSetting): AgentContext {
  const { signal, conversationId, hop, onHumanAnswer } = setting;
  return setScope(createAgentContext({ signal, conversationId, hop }), { sender: agent, onHumanAnswer });
}
