import { newShortId } from "@weft/tracing/internal";
import type { AgentContext } from "./agent.ts";
import { History } from "./history.ts";

/** An {@link AgentContext} with what is not given filled in: new ids, an empty history, a signal that never fires. */
export function createAgentContext(given: Partial<AgentContext> = {}): AgentContext {
  const { taskId, budget, journal, contextId = newShortId() } = given;
  const context = {
    signal: given.signal ?? new AbortController().signal,
    contextId,
    conversationId: given.conversationId ?? contextId,
    history: given.history ?? new History(),
    session: given.session ?? { state: undefined },
    hop: given.hop ?? { carrier: {}, hops: 0 },
  };
  if (taskId === undefined && budget === undefined && journal === undefined) return context;
  return {
    ...context,
    ...(taskId === undefined ? {} : { taskId }),
    ...(budget === undefined ? {} : { budget }),
    ...(journal === undefined ? {} : { journal }),
  };
}
