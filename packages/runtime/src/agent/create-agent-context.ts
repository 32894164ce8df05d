import { randomUUID } from "node:crypto";
import type { AgentContext } from "./agent.ts";
import { History } from "./history.ts";

/** An {@link AgentContext} with what is not given filled in: new ids, an empty history, a signal that never fires. */
export function createAgentContext(given: Partial<AgentContext> = {}): AgentContext {
  const contextId = given.contextId ?? randomUUID();
  return {
    signal: given.signal ?? new AbortController().signal,
    contextId,
    conversationId: given.conversationId ?? contextId,
    history: given.history ?? new History(),
    session: given.session ?? { state: undefined },
    hop: given.hop ?? { carrier: {}, hops: 0 },
    ...(given.taskId === undefined ? {} : { taskId: given.taskId }),
    ...(given.budget === undefined ? {} : { budget: given.budget }),
    ...(given.journal === undefined ? {} : { journal: given.journal }),
  };
}
