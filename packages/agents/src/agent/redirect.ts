import type { AgentContext, AgentEventBody } from "@weft/runtime/agent";
import { activeContext } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { trace } from "@opentelemetry/api";
import { scopeOf } from "../chat/scope.ts";
import type { Target } from "../handoff/target.ts";
import { nameOfTarget } from "../handoff/target.ts";

/** Tells the chat where it goes next, and whoever reads: the event is to be yielded. */
export function redirectTo(context: AgentContext, to: Target, reason: string): AgentEventBody {
  scopeOf(context)?.onTarget?.(to, reason);
  const name = nameOfTarget(to);
  trace.getSpan(activeContext())?.setAttribute(Attr.turnHandoff, name);
  return { type: "handoff", to: name, reason };
}
