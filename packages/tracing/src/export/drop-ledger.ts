/**
 * Job: count what does not get out, say it once per reason, and hand the count to the next span that does.
 * Owns: those counts.
 * I1. Every lost span is counted exactly once.
 */
export class DropLedger {
  readonly #warn: (message: string) => void;
  #total = 0;
  #unreported = 0;

  /** @param warn called for every loss; it says each text once per process */
  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  get total(): number {
    return this.#total;
  }

  /** `warn`: where the ordinary way would say it too late. */
  add(count: number, why: string, warn = this.#warn): void {
    if (count <= 0) return;
    this.#total += count;
    this.#unreported += count;
    warn(`Spans are lost: ${why}.`);
  }

  /** What no span has reported yet; whoever takes it puts it on one. */
  takeUnreported(): number {
    const count = this.#unreported;
    this.#unreported = 0;
    return count;
  }
}
