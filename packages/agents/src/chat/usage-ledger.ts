import type { AgentEvent, Usage, UsageReport } from "@weft/runtime/agent";
import { addUsage, noUsage } from "@weft/runtime/agent";

/** Tokens of a chat: the total, and the same tokens told by agent and by model. */
export interface ChatUsage extends Usage {
  readonly byAgent: Readonly<Record<string, Usage>>;
  readonly byModel: Readonly<Record<string, Usage>>;
}

/** Adds up `usage` events, nested and remote ones included: each model call is said by exactly one of them. */
export class UsageLedger {
  #total = noUsage;
  #cost = 0;
  #isCostKnown = true;
  #isEmpty = true;
  // Without a prototype: an agent may have any name, `__proto__` too.
  readonly #byAgent: Record<string, Usage> = Object.create(null);
  readonly #byModel: Record<string, Usage> = Object.create(null);

  see(event: AgentEvent): void {
    if (event.type === "usage") this.add(event, event.from);
  }

  add({ usage, model, cost }: UsageReport, agent: string): void {
    this.#isEmpty = false;
    this.#total = addUsage(this.#total, usage);
    this.#byAgent[agent] = addUsage(this.#byAgent[agent] ?? noUsage, usage);
    if (model !== undefined) this.#byModel[model] = addUsage(this.#byModel[model] ?? noUsage, usage);
    if (cost === undefined) this.#isCostKnown = false;
    else this.#cost += cost;
  }

  usage(): ChatUsage {
    return { ...this.#total, byAgent: { ...this.#byAgent }, byModel: { ...this.#byModel } };
  }

  /** USD; undefined when the price of any call is unknown, and when no call told its usage. */
  cost(): number | undefined {
    return this.#isCostKnown && !this.#isEmpty ? this.#cost : undefined;
  }
}
