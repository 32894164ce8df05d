import { WeftError } from "@weft/tracing";
import type { ChatModel, ModelPrice, ModelUsage, TokenRates } from "./chat-model.ts";
import { defaultPrices } from "./list-prices.ts";

let prices: Readonly<Record<string, ModelPrice>> = defaultPrices;

/** Puts a table in place of the one before; `{ ...defaultPrices, … }` adds to it. Raises `invalid_argument` for a bad price. */
export function setPrices(table: Readonly<Record<string, ModelPrice>>): void {
  for (const [name, price] of Object.entries(table)) {
    if (isRates(price) && (!price.longInput || (isRates(price.longInput) && price.longInput.over > 0)))
      continue;
    throw new WeftError(
      "invalid_argument",
      `The price of "${name}" must be numbers, USD per million tokens.`,
    );
  }
  prices = { ...table };
}

function isRates(rates: TokenRates | undefined): boolean {
  const parts: unknown[] = [rates?.input, rates?.output, rates?.cacheRead ?? 0, rates?.cacheWrite ?? 0];
  return parts.every((part) => typeof part === "number" && part >= 0);
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
  const { longInput } = price;
  const {
    input,
    output,
    cacheRead = input,
    cacheWrite = input,
  } = longInput && inputTokens > longInput.over ? longInput : price;
  const fresh = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  const sum =
    fresh * input + cacheReadTokens * cacheRead + cacheWriteTokens * cacheWrite + outputTokens * output;
  return sum / 1_000_000;
}

/** A date or a version behind a name is the same model: `-2024-08-06`, `-20250514`, `@20250514`, `-002`, `-latest`. */
const dated = /^(?:-\d{4}-\d{2}-\d{2}|[-@]\d{8}|-\d{3}|-latest)$/u;

/**
 * The price of a name as it stands, or without its date; at routers the maker stands in front (`openai/gpt-4o`). Any
 * other difference is another model: `claude-opus-4-5` costs a third of `claude-opus-4`, and `:free` nothing.
 */
function findPrice(name: string | undefined): ModelPrice | undefined {
  if (name === undefined) return undefined;
  if (Object.hasOwn(prices, name)) return prices[name];
  const bare = name.slice(name.lastIndexOf("/") + 1);
  const known = Object.keys(prices).find(
    (each) => bare === each || (bare.startsWith(each) && dated.test(bare.slice(each.length))),
  );
  return known === undefined ? undefined : prices[known];
}
