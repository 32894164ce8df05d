/**
 * Job: a context that costs one small object to derive from, where the api's copies all its values into a new map.
 * Owns: one key and its value. Does not own: the context it was derived from.
 * I1. It reads as the api's own does: the last value set under a key wins, a deleted one is undefined.
 * I2. However often contexts are derived from each other, a look-up meets a bounded number of them.
 */
import type { Context } from "@opentelemetry/api";

const maxDepth = 32;

export class LinkedContext implements Context {
  readonly #parent: Context;
  readonly #key: symbol;
  readonly #value: unknown;
  readonly #depth: number;

  private constructor(parent: Context, key: symbol, value: unknown, depth: number) {
    this.#parent = parent;
    this.#key = key;
    this.#value = value;
    this.#depth = depth;
  }

  /** `parent` with `value` under `key`; so is all that is derived from the result. */
  static over(parent: Context, key: symbol, value: unknown): LinkedContext {
    const depth = parent instanceof LinkedContext ? parent.#depth + 1 : 1;
    if (depth <= maxDepth) return new LinkedContext(parent, key, value, depth);
    return new LinkedContext(LinkedContext.#flatten(parent), key, value, 1);
  }

  getValue(key: symbol): unknown {
    return this.#key === key ? this.#value : this.#parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return LinkedContext.over(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return LinkedContext.over(this, key, undefined);
  }

  /** The same values in one of the api's contexts. */
  static #flatten(deep: Context): Context {
    const values = new Map<symbol, unknown>();
    let context = deep;
    while (context instanceof LinkedContext) {
      if (!values.has(context.#key)) values.set(context.#key, context.#value);
      context = context.#parent;
    }
    for (const [key, value] of values) context = context.setValue(key, value);
    return context;
  }
}
