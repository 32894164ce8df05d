/*
 * TurnJournal: the steps of one turn, written down.
 *
 * Job: an intent before each step, its result before anyone sees it; and on the way again, the results of before.
 * Owns: the keys of the turn's steps. Does not own: the store or the fence (the writer's), the messages.
 *
 * I1  A step starts after its intent is durable under the running epoch: a former owner starts none.
 * I2  A step with a result is never done again in its task.
 * I3  An intent without a result is done again under the same idempotency key, or with `onUnknown: "fail"` never.
 */
import { WeftError } from "@weft/tracing";
import { injectCarrier, isErrorCode } from "@weft/tracing/internal";
import { isFenced } from "../agent/fenced.ts";
import { isRecord } from "../agent/message.ts";
import type { Journal, OpenStep, StepOptions } from "../agent/journal.ts";
import type { StepRow } from "../store/task-store.ts";

export interface TurnJournalOptions {
  /** Names the turn within its task: the id of its message. */
  readonly turn: string;
  readonly taskId: string;
  /** All of the task's rows so far. */
  readonly known: ReadonlyMap<string, StepRow>;
  readonly signal: AbortSignal;
  /** Resolves when the row is durable. */
  readonly write: (row: StepRow) => Promise<void>;
  /** The next free place in the task's journal. */
  readonly nextPlace: () => number;
}

export class TurnJournal implements Journal {
  readonly #options: TurnJournalOptions;
  readonly #counts = new Map<string, number>();

  constructor(options: TurnJournalOptions) {
    this.#options = options;
  }

  /** The steps that will not be done again. */
  get skipped(): readonly string[] {
    const prefix = `${this.#options.turn}/`;
    return [...this.#options.known.values()]
      .filter(({ key, result }) => key.startsWith(prefix) && result !== undefined)
      .map(({ key }) => key.slice(prefix.length));
  }

  async step<T>(
    key: string,
    fn: (step: { readonly idempotencyKey: string }) => Promise<T>,
    options?: StepOptions,
  ): Promise<T> {
    const begun = await this.begin(key, options);
    if (begun.isDone) return begun.result as T;
    let result: T;
    try {
      result = await fn(begun.step);
    } catch (error) {
      await begun.step.fail(error);
      throw error;
    }
    await begun.step.finish(result);
    return result;
  }

  async begin(
    key: string,
    options: StepOptions = {},
  ): Promise<
    { readonly isDone: true; readonly result: unknown } | { readonly isDone: false; readonly step: OpenStep }
  > {
    const name = this.#nameOf(key);
    const known = this.#options.known.get(name);
    if (known?.result !== undefined) return { isDone: true, result: readResult(known.result) };
    const row = known ?? (await this.#intend(name));
    const step = this.#open(row);
    if (known && options.onUnknown === "fail") {
      const error = new WeftError(
        "tool_failed",
        `"${key}" was interrupted; its outcome is unknown, and it is not done again.`,
      );
      await step.fail(error);
      throw error;
    }
    return { isDone: false, step };
  }

  /** The same key again, in the same turn, is another step. */
  #nameOf(key: string): string {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return `${this.#options.turn}/${key}${count === 1 ? "" : `#${count}`}`;
  }

  async #intend(key: string): Promise<StepRow> {
    const intent = JSON.stringify({ carrier: injectCarrier() });
    const row = { key, place: this.#options.nextPlace(), intent, result: undefined };
    await this.#options.write(row);
    return row;
  }

  #open(row: StepRow): OpenStep {
    const close = (result: object): Promise<void> =>
      this.#options.write({ ...row, result: JSON.stringify(result) });
    return {
      idempotencyKey: `${this.#options.taskId}/${row.key}`,
      finish: (value) => close({ value }),
      fail: async (thrown) => {
        // Who was stopped did not fail: the next attempt may do better.
        if (this.#options.signal.aborted || isFenced(thrown)) return;
        await close({ error: WeftError.from(thrown).toJSON() });
      },
    };
  }
}

function readResult(text: string): unknown {
  const result = JSON.parse(text) as { value?: unknown; error?: unknown };
  const { error } = result;
  if (!isRecord(error)) return result.value;
  const code = isErrorCode(error["code"]) ? error["code"] : "internal";
  throw new WeftError(code, typeof error["message"] === "string" ? error["message"] : "The step failed.");
}
