import type { Context } from "@opentelemetry/api";
import { runInContext } from "./active-context.ts";

/**
 * An async generator resumes in the context of whoever calls `next`. This one runs every step of
 * `source`, its creation included, in `context`.
 */
export function bindGenerator<T>(context: Context, source: AsyncIterable<T>): AsyncGenerator<T> {
  let iterator: AsyncIterator<T> | undefined;
  const inner = (): AsyncIterator<T> => (iterator ??= source[Symbol.asyncIterator]());
  const bound: AsyncGenerator<T> = {
    next: () => runInContext(context, async () => inner().next()),
    return: (value) =>
      runInContext(
        context,
        async () => (await inner().return?.(await value)) ?? { done: true, value: await value },
      ),
    throw: (error) =>
      runInContext(context, async () => {
        const step = await inner().throw?.(error);
        if (step === undefined) throw error;
        return step;
      }),
    [Symbol.asyncIterator]: () => bound,
    [Symbol.asyncDispose]: async () => {
      await bound.return(undefined);
    },
  };
  return bound;
}
