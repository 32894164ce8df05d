import { limitError } from "../a2a/wire-errors.ts";
import type { Limits } from "./limits.ts";

interface Usage {
  tokens: number;
  /** Milliseconds of the monotonic clock when `tokens` held. */
  at: number;
  calls: number;
  streams: number;
}

type CallerBounds = Pick<Limits, "callsPerSecond" | "callsPerCaller" | "streamsPerCaller">;

/** Callers that are remembered before those who have nothing open are forgotten. */
const maxCallers = 10_000;

/** What each caller has open and how fast it calls, over all bindings and agents of a service. */
export class CallerLimits {
  readonly #bounds: CallerBounds;
  readonly #now: () => number;
  readonly #callers = new Map<string, Usage>();

  constructor(bounds: CallerBounds, now: () => number = () => performance.now()) {
    this.#bounds = bounds;
    this.#now = now;
  }

  /**
   * Counts a call that begins; the returned function counts its end. Without `isRated` its rate is not limited.
   *
   * @throws WeftError `limit_exceeded` naming the limit
   */
  enter(caller: string, kind: "calls" | "streams", isRated: boolean): () => void {
    const usage = this.#usageOf(caller);
    if (isRated) this.#takeToken(usage);
    const name = kind === "calls" ? "callsPerCaller" : "streamsPerCaller";
    if (usage[kind] >= this.#bounds[name]) {
      throw limitError(name, `The caller reached the limit ${name} of ${this.#bounds[name]} open ${kind}.`);
    }
    usage[kind]++;
    let isOpen = true;
    return () => {
      if (isOpen) usage[kind]--;
      isOpen = false;
    };
  }

  #takeToken(usage: Usage): void {
    const { callsPerSecond } = this.#bounds;
    const now = this.#now();
    usage.tokens = Math.min(callsPerSecond, usage.tokens + ((now - usage.at) / 1_000) * callsPerSecond);
    usage.at = now;
    if (usage.tokens < 1) {
      throw limitError("callsPerSecond", `The caller reached the limit callsPerSecond of ${callsPerSecond}.`);
    }
    usage.tokens--;
  }

  #usageOf(caller: string): Usage {
    const known = this.#callers.get(caller);
    if (known) return known;
    if (this.#callers.size >= maxCallers) this.#forgetIdle();
    const usage = { tokens: this.#bounds.callsPerSecond, at: this.#now(), calls: 0, streams: 0 };
    this.#callers.set(caller, usage);
    return usage;
  }

  #forgetIdle(): void {
    for (const [caller, { calls, streams }] of this.#callers) {
      if (calls === 0 && streams === 0) this.#callers.delete(caller);
    }
  }
}
