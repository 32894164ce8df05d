import type { AgentEvent, Usage, UsageReport } from "@weft/runtime/agent";
import { addUsage, noUsage } from "@weft/runtime/agent";

/** Tokens of a chat: the total, and the same tokens told by agent and by model. */
export interface ChatUsage extends Usage {
  readonly byAgent: Readonly<Record<string, Usage>>;
  readonly byModel: Readonly<Record<string, Usage>>;
}

/** A ledger as JSON, for a chat that another process goes on with. */
export interface LedgerState {
  readonly usage: ChatUsage;
  /** USD so far; undefined when the price of a call is unknown. */
  readonly cost?: number;
  readonly isEmpty: boolean;
}

/** Adds up `usage` events, nested and remote ones included: each model call is said by exactly one of them. */
export class UsageLedger {
  #total = noUsage;
  #cost = 0;
  #isCostKnown = true;
  #isEmpty = true;
  readonly #byAgent = new Map<string, Usage>();
  readonly #byModel = new Map<string, Usage>();

  constructor(before?: LedgerState) {
    if (!before || before.isEmpty) return;
    const { byAgent, byModel, ...total } = before.usage;
    this.#total = { ...noUsage, ...total };
    for (const [agent, usage] of Object.entries(byAgent)) this.#byAgent.set(agent, usage);
    for (const [model, usage] of Object.entries(byModel)) this.#byModel.set(model, usage);
    this.#isEmpty = false;
    this.#cost = before.cost ?? 0;
    this.#isCostKnown = before.cost !== undefined;
  }

  toState(): LedgerState {
    const cost = this.cost();
    return { usage: this.usage(), isEmpty: this.#isEmpty, ...(cost === undefined ? {} : { cost }) };
  }

  see(event: AgentEvent): void {
    if (event.type === "usage") this.add(event, event.from);
  }

  /** Each report that was added by itself, not by an event. */
  readonly reports: UsageReport[] = [];

  /** Adds what no event tells: a summary's call. */
  addReport(report: UsageReport, agent: string): void {
    this.reports.push(report);
    this.add(report, agent);
  }

  add({ usage, model, cost }: UsageReport, agent: string): void {
    this.#isEmpty = false;
    this.#total = addUsage(this.#total, usage);
    this.#byAgent.set(agent, addUsage(this.#byAgent.get(agent) ?? noUsage, usage));
    if (model !== undefined) this.#byModel.set(model, addUsage(this.#byModel.get(model) ?? noUsage, usage));
    if (cost === undefined) this.#isCostKnown = false;
    else this.#cost += cost;
  }

  usage(): ChatUsage {
    const byAgent = Object.fromEntries(this.#byAgent);
    return { ...this.#total, byAgent, byModel: Object.fromEntries(this.#byModel) };
  }

  /** USD; undefined when the price of any call is unknown, and when no call told its usage. */
  cost(): number | undefined {
    return this.#isCostKnown && !this.#isEmpty ? this.#cost : undefined;
  }
}
