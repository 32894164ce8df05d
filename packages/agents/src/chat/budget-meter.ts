/*
 * BudgetMeter: what a conversation may still spend (SEMANTICS B1).
 *
 * Job: counts tokens, cost, turns, hops and time against limits, and refuses what would go beyond.
 * Owns: the rest. Does not own: who counts (each call of a model, each turn, each event of a remote agent does).
 *
 * I1  A report of usage counts once, however many chats it passes on its way up.
 * I2  What is spent here is spent of every meter around it.
 * I3  A refusal names what is spent.
 */
import type { Budget, Usage, UsageReport } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";

type Limit = keyof Budget;

const limits: readonly Limit[] = ["tokens", "cost", "turns", "hops", "deadlineMs"];

/** Raises `invalid_argument` for a limit that is no number or an unknown one. */
export function checkBudget(budget: Budget | undefined): void {
  if (!budget) return;
  for (const [name, value] of Object.entries(budget)) {
    if (value === undefined) continue;
    if (!limits.includes(name as Limit)) {
      throw new WeftError(
        "invalid_argument",
        `There is no budget of "${name}"; there are ${limits.join(", ")}.`,
      );
    }
    if (typeof value !== "number" || Number.isNaN(value)) {
      throw new WeftError("invalid_argument", `The budget of ${name} must be a number.`);
    }
  }
}

export class BudgetMeter {
  readonly #rest: { -readonly [Name in Limit]?: number };
  readonly #outer: BudgetMeter | undefined;
  readonly #seen = new WeakSet<Usage>();
  readonly #deadline: number | undefined;

  constructor(budget: Budget | undefined, outer?: BudgetMeter) {
    this.#rest = { ...budget };
    this.#outer = outer;
    if (budget?.deadlineMs !== undefined) this.#deadline = Date.now() + budget.deadlineMs;
  }

  /** When the time is up, in milliseconds since the epoch. */
  get deadline(): number | undefined {
    const times = [this.#deadline, this.#outer?.deadline].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What is left, the tightest of all meters around; undefined when nothing is limited. */
  rest(): Budget | undefined {
    const rest: { -readonly [Name in Limit]?: number } = { ...this.#outer?.rest() };
    for (const name of limits) {
      const own = name === "deadlineMs" ? this.#timeLeft() : this.#rest[name];
      if (own !== undefined) rest[name] = Math.min(own, rest[name] ?? Infinity);
    }
    return Object.keys(rest).length === 0 ? undefined : rest;
  }

  spend(report: UsageReport): void {
    if (this.#seen.has(report.usage)) return;
    this.#seen.add(report.usage);
    if (this.#rest.tokens !== undefined) this.#rest.tokens -= report.usage.totalTokens;
    if (this.#rest.cost !== undefined) this.#rest.cost -= report.cost ?? unknownPrice(report);
    this.#outer?.spend(report);
  }

  /** Counts a turn. Raises `budget_exceeded` when there is none left, or when anything else is spent. */
  takeTurn(): void {
    if ((this.rest()?.turns ?? 1) <= 0) throw spent("turns");
    this.check();
    this.#countTurn();
  }

  /** Raises `budget_exceeded` before a call that goes over the wire when no hop is left. */
  checkHop(): void {
    if ((this.rest()?.hops ?? 1) <= 0) throw spent("hops");
  }

  /** Raises `budget_exceeded`, naming what is spent; `maxOutputTokens` counts in advance. */
  check(maxOutputTokens = 0): void {
    const rest = this.rest();
    if (!rest) return;
    for (const name of ["tokens", "cost", "deadlineMs"] as const) {
      if ((rest[name] ?? 1) <= 0) throw spent(name);
    }
    if (rest.tokens !== undefined && maxOutputTokens > rest.tokens) {
      const text = `The conversation's budget of tokens has ${rest.tokens} left, and the call asks for ${maxOutputTokens}.`;
      throw new WeftError("budget_exceeded", text, { details: { budget: "tokens" } });
    }
  }

  #countTurn(): void {
    if (this.#rest.turns !== undefined) this.#rest.turns -= 1;
    if (this.#outer) this.#outer.#countTurn();
  }

  #timeLeft(): number | undefined {
    return this.#deadline === undefined ? undefined : this.#deadline - Date.now();
  }
}

const warnedOf = new Set<string>();

/** Nothing is guessed: a call without a known price spends no cost, and a limit of cost then does not hold. Said once a model. */
function unknownPrice({ model = "an unnamed model" }: UsageReport): 0 {
  if (!warnedOf.has(model) && warnedOf.size < 100) {
    warnedOf.add(model);
    process.emitWarning(
      `The price of "${model}" is unknown: its calls spend nothing of the budget of cost. Give the model a price, or setPrices.`,
      { code: "WEFT_UNKNOWN_PRICE" },
    );
  }
  return 0;
}

export function spent(name: string): WeftError {
  return new WeftError("budget_exceeded", `The conversation's budget of ${name} is spent.`, {
    details: { budget: name },
  });
}
