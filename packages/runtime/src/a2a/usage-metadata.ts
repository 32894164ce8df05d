import { isRecord } from "../agent/message.ts";
import { addUsage, noUsage } from "../agent/usage.ts";
import type { Usage, UsageReport } from "../agent/usage.ts";

/** Reads usage from foreign metadata; missing or wrong counts are 0; undefined when there is no usage at all. */
export function parseUsage(value: unknown): (Usage & { readonly cost?: number }) | undefined {
  if (!isRecord(value)) return undefined;
  const count = (key: keyof Usage): number => {
    const given = value[key];
    return typeof given === "number" && given >= 0 && Number.isFinite(given) ? given : 0;
  };
  const { cost } = value;
  return {
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    totalTokens: count("totalTokens"),
    cacheReadTokens: count("cacheReadTokens"),
    cacheWriteTokens: count("cacheWriteTokens"),
    reasoningTokens: count("reasoningTokens"),
    ...(typeof cost === "number" && Number.isFinite(cost) ? { cost } : {}),
  };
}

/** Adds up what a turn used. The cost is known only if every call's is. */
export class UsageSum {
  #usage: Usage = noUsage;
  #cost: number | undefined = 0;
  #isEmpty = true;

  add(report: UsageReport): void {
    this.#isEmpty = false;
    this.#usage = addUsage(this.#usage, report.usage);
    this.#cost = this.#cost === undefined || report.cost === undefined ? undefined : this.#cost + report.cost;
  }

  /** Undefined when nothing was used. */
  get total(): (Usage & { readonly cost?: number }) | undefined {
    if (this.#isEmpty) return undefined;
    return this.#cost === undefined ? this.#usage : { ...this.#usage, cost: this.#cost };
  }
}
