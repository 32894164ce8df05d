import { WeftError } from "@weft/tracing";
import type { ChatModel, ModelPrice, ModelUsage } from "./chat-model.ts";

/**
 * List prices in USD per million tokens, by the model's name; the longest name that a model's name begins with counts.
 * They change: these are of August 2025. `setPrices` puts others in their place, and a model may carry its own `price`.
 */
export const defaultPrices: Readonly<Record<string, ModelPrice>> = {
  "gpt-5": { input: 1.25, output: 10, cacheRead: 0.125 },
  "gpt-5-mini": { input: 0.25, output: 2, cacheRead: 0.025 },
  "gpt-5-nano": { input: 0.05, output: 0.4, cacheRead: 0.005 },
  "gpt-4.1": { input: 2, output: 8, cacheRead: 0.5 },
  "gpt-4.1-mini": { input: 0.4, output: 1.6, cacheRead: 0.1 },
  "gpt-4.1-nano": { input: 0.1, output: 0.4, cacheRead: 0.025 },
  "gpt-4o": { input: 2.5, output: 10, cacheRead: 1.25 },
  "gpt-4o-mini": { input: 0.15, output: 0.6, cacheRead: 0.075 },
  "o4-mini": { input: 1.1, output: 4.4, cacheRead: 0.275 },
  "claude-opus-4": { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75 },
  "claude-sonnet-4": { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
  "claude-3-5-haiku": { input: 0.8, output: 4, cacheRead: 0.08, cacheWrite: 1 },
  "gemini-2.5-pro": { input: 1.25, output: 10, cacheRead: 0.31 },
  "gemini-2.5-flash": { input: 0.3, output: 2.5, cacheRead: 0.075 },
};

let prices: Readonly<Record<string, ModelPrice>> = defaultPrices;

/** Puts a table in place of the one before; `{ ...defaultPrices, … }` adds to it. Raises `invalid_argument` for a bad price. */
export function setPrices(table: Readonly<Record<string, ModelPrice>>): void {
  for (const [name, price] of Object.entries(table)) {
    for (const part of [price?.input, price?.output, price?.cacheRead ?? 0, price?.cacheWrite ?? 0]) {
      if (typeof part === "number" && part >= 0) continue;
      throw new WeftError(
        "invalid_argument",
        `The price of "${name}" must be numbers, USD per million tokens.`,
      );
    }
  }
  prices = { ...table };
}

/** USD; undefined when the price is unknown. */
export function costOf(
  model: ChatModel,
  answered: string | undefined,
  usage: ModelUsage,
): number | undefined {
  const price = model.price ?? findPrice(answered) ?? findPrice(model.modelId);
  if (!price) return undefined;
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const fresh = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  const sum =
    fresh * input + cacheReadTokens * cacheRead + cacheWriteTokens * cacheWrite + outputTokens * output;
  return sum / 1_000_000;
}

/** Names carry dates (`gpt-4o-2024-08-06`) and at routers the maker (`openai/gpt-4o`). */
function findPrice(name: string | undefined): ModelPrice | undefined {
  if (name === undefined) return undefined;
  const bare = name.slice(name.lastIndexOf("/") + 1);
  let best = "";
  for (const known of Object.keys(prices)) {
    const rest = bare.startsWith(known) ? bare.slice(known.length) : undefined;
    // `gpt-5.5` is another model than `gpt-5`, `gpt-5-2025-08-07` and `claude-sonnet-4-20250514` are not.
    if (rest !== undefined && /^(-\d[\d-]*|-latest|@.*|:.*)?$/u.test(rest) && known.length > best.length)
      best = known;
  }
  return prices[name] ?? (best === "" ? undefined : prices[best]);
}
