import type { AgentContext } from "@weft/runtime/agent";
import { BudgetMeter } from "./budget-meter.ts";
import { scopeOf } from "./scope.ts";

const served = new WeakMap<AgentContext, BudgetMeter>();

/** The meter of a turn: its chat's, or under `serve` one over what the request brought. */
export function meterOf(context: AgentContext): BudgetMeter | undefined {
  const scope = scopeOf(context);
  if (scope) return scope.meter;
  if (!context.budget) return undefined;
  let meter = served.get(context);
  if (!meter) {
    const { hops, ...budget } = context.budget;
    // The hop that brought the request is one of them.
    meter = new BudgetMeter({ ...budget, ...(hops === undefined ? {} : { hops: hops - 1 }) });
    served.set(context, meter);
  }
  return meter;
}
