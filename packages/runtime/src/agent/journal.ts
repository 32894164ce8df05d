/** How a step may be taken up again after its process died in the middle of it. */
export interface StepOptions {
  /**
   * When nobody knows whether the step was done: `retry` (default) does it again under the same idempotency key; `fail`
   * never does it twice, the step then rejects with `tool_failed` and says so.
   */
  readonly onUnknown?: "retry" | "fail";
}

/** A step that must be done now. */
export interface OpenStep {
  /** The same for every attempt at this step. */
  readonly idempotencyKey: string;
  /** Writes the result down; resolves when it is durable. Nobody may see the result before. */
  finish(result: unknown): Promise<void>;
  /** Writes down that it failed: the step is not tried again. */
  fail(error: unknown): Promise<void>;
}

/**
 * The journal of one turn, under `serve` with a store that outlives the process. A step's intent stands in it before
 * the step starts, its result before anyone sees it; after a crash the turn runs again, and steps with a result are not
 * done again: they give what they gave. So a turn must ask for its steps in the same way each time.
 */
export interface Journal {
  /**
   * Does `fn` once. `key` is unique in its turn; the same key again gets a number. The result must be JSON.
   *
   * @throws WeftError what `fn` threw, also when an earlier attempt's did; `tool_failed` for `onUnknown: "fail"`
   */
  step<T>(
    key: string,
    fn: (step: { readonly idempotencyKey: string }) => Promise<T>,
    options?: StepOptions,
  ): Promise<T>;
  /** The same in two halves, for what streams: the result of an earlier attempt, or the step to do. */
  begin(
    key: string,
    options?: StepOptions,
  ): Promise<
    { readonly isDone: true; readonly result: unknown } | { readonly isDone: false; readonly step: OpenStep }
  >;
}

/** The part of a journal that is one agent's whom another asks inside its turn: keys stand under `path`. */
export function nestedJournal(journal: Journal, path: string): Journal {
  return {
    step: (key, fn, options) => journal.step(`${path}/${key}`, fn, options),
    begin: (key, options) => journal.begin(`${path}/${key}`, options),
  };
}
