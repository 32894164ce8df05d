import { createContextKey } from "@opentelemetry/api";
import type { Context } from "@weft/tracing/internal";
import { activeContext, contextWithValue } from "@weft/tracing/internal";
import type { AgentContext } from "./agent.ts";

const turnKey = createContextKey("weft.turn");

/** `context` with `turn` as what it happens in. {@link runTurn} does this. */
export function withTurn(context: Context, turn: AgentContext): Context {
  return contextWithValue(context, turnKey, turn);
}

/** The turn that this code runs in, if any: what it starts inherits its conversation, budget, hops and signal. */
export function ambientTurn(context: Context = activeContext()): AgentContext | undefined {
  return context.getValue(turnKey) as AgentContext | undefined;
}
