import { limitError } from "../a2a/wire-errors.ts";

/** How many tasks of each caller run, over all agents of a service. Tasks taken over are counted for nobody. */
export class CallerTasks {
  readonly #max: number;
  readonly #running = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a task that begins to run; the returned function counts its end.
   *
   * @throws WeftError `limit_exceeded` naming the limit
   */
  enter(caller: string): () => void {
    const running = this.#running.get(caller) ?? 0;
    if (running >= this.#max) {
      throw limitError(
        "tasksPerCaller",
        `The caller reached the limit tasksPerCaller of ${this.#max} running tasks.`,
      );
    }
    this.#running.set(caller, running + 1);
    return () => this.#leave(caller);
  }

  #leave(caller: string): void {
    const running = this.#running.get(caller)! - 1;
    if (running > 0) this.#running.set(caller, running);
    else this.#running.delete(caller);
  }
}
