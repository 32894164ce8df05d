import type { ModelPrice } from "./chat-model.ts";

/** A price with where it is from, and when that was read. */
export interface ListedPrice extends ModelPrice {
  /** The page that says so. */
  readonly source: string;
  /** The day it was read or, at second hand, last checked; ISO 8601. */
  readonly asOf: string;
}

const openai = "https://developers.openai.com/api/docs/pricing";
const anthropic = "https://platform.claude.com/docs/en/about-claude/pricing";
const google = "https://ai.google.dev/gemini-api/docs/pricing";

// OpenAI's and Google's pages at second hand: the dates are those on which https://github.com/pydantic/genai-prices
// checked them, but for gpt-6-astra (https://github.com/BerriAI/litellm/discussions/39633).
const openai2025July = { source: openai, asOf: "2025-07-04" };
const openai2025November = { source: openai, asOf: "2025-11-13" };
const openai2026August = { source: openai, asOf: "2026-08-02" };
const google2025 = { source: google, asOf: "2025-10-31" };
const anthropic2026July = { source: anthropic, asOf: "2026-07-29" };
// Changed since: checked against the live page by https://github.com/kurofune/claudit (v1.9.2).
const anthropic2026October = { source: anthropic, asOf: "2026-10-24" };

const opus4 = { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75, ...anthropic2026July };
const opus5 = { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, ...anthropic2026July };
const sonnet4 = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, ...anthropic2026July };
const fable5 = { input: 10, output: 50, cacheRead: 1, cacheWrite: 12.5, ...anthropic2026July };

/**
 * List prices by the model's name: USD per million tokens of text, standard tier, without batch or regional terms;
 * a cache write at its shortest time. What could not be traced to a source is not here, and its cost is undefined.
 * Prices change: `setPrices` puts others in their place, and a model may carry its own `price`.
 */
export const defaultPrices: Readonly<Record<string, ListedPrice>> = {
  "gpt-4o": { input: 2.5, output: 10, cacheRead: 1.25, ...openai2025July },
  "gpt-4o-mini": { input: 0.15, output: 0.6, cacheRead: 0.075, ...openai2025July },
  "gpt-4.1": { input: 2, output: 8, cacheRead: 0.5, ...openai2025July },
  "gpt-4.1-mini": { input: 0.4, output: 1.6, cacheRead: 0.1, ...openai2025July },
  "gpt-4.1-nano": { input: 0.1, output: 0.4, cacheRead: 0.025, ...openai2025July },
  o3: { input: 2, output: 8, cacheRead: 0.5, source: openai, asOf: "2025-07-12" },
  "o4-mini": { input: 1.1, output: 4.4, cacheRead: 0.275, ...openai2025July },
  "gpt-5": { input: 1.25, output: 10, cacheRead: 0.125, ...openai2025November },
  "gpt-5-mini": { input: 0.25, output: 2, cacheRead: 0.025, ...openai2025November },
  "gpt-5-nano": { input: 0.05, output: 0.4, cacheRead: 0.005, ...openai2025November },
  "gpt-5.1": { input: 1.25, output: 10, cacheRead: 0.125, ...openai2025November },
  "gpt-5.2": { input: 1.75, output: 14, cacheRead: 0.175, source: openai, asOf: "2025-12-11" },
  "gpt-5.4": {
    input: 2.5,
    output: 15,
    cacheRead: 0.25,
    longInput: { over: 272_000, input: 5, output: 22.5, cacheRead: 0.5 },
    source: openai,
    asOf: "2026-03-06",
  },
  "gpt-5.4-mini": { input: 0.75, output: 4.5, cacheRead: 0.075, source: openai, asOf: "2026-03-18" },
  "gpt-5.4-nano": { input: 0.2, output: 1.25, cacheRead: 0.02, source: openai, asOf: "2026-03-18" },
  "gpt-5.6-terra": {
    input: 2,
    output: 12,
    cacheRead: 0.2,
    cacheWrite: 2.5,
    longInput: { over: 272_000, input: 4, output: 18, cacheRead: 0.4, cacheWrite: 5 },
    ...openai2026August,
  },
  "gpt-5.6-luna": {
    input: 0.2,
    output: 1.2,
    cacheRead: 0.02,
    cacheWrite: 0.25,
    longInput: { over: 272_000, input: 0.4, output: 1.8, cacheRead: 0.04, cacheWrite: 0.5 },
    ...openai2026August,
  },
  "gpt-6-astra": {
    input: 10,
    output: 50,
    cacheRead: 1,
    cacheWrite: 12.5,
    longInput: { over: 272_000, input: 20, output: 75, cacheRead: 2, cacheWrite: 25 },
    source: openai,
    asOf: "2026-09-03",
  },
  "claude-3-5-haiku": { input: 0.8, output: 4, cacheRead: 0.08, cacheWrite: 1, ...anthropic2026July },
  "claude-haiku-4-5": { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25, ...anthropic2026July },
  "claude-haiku-5-5": {
    input: 0.1,
    output: 0.5,
    cacheRead: 0.01,
    cacheWrite: 0.125,
    longInput: { over: 100_000, input: 0.5, output: 2.5, cacheRead: 0.05, cacheWrite: 0.625 },
    ...anthropic2026October,
  },
  "claude-sonnet-4": sonnet4,
  "claude-sonnet-4-0": sonnet4,
  "claude-sonnet-4-5": {
    ...sonnet4,
    longInput: { over: 200_000, input: 6, output: 22.5, cacheRead: 0.6, cacheWrite: 7.5 },
  },
  "claude-sonnet-4-6": sonnet4,
  "claude-sonnet-5": { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, ...anthropic2026October },
  "claude-sonnet-5-5": { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5, ...anthropic2026October },
  "claude-opus-4": opus4,
  "claude-opus-4-0": opus4,
  "claude-opus-4-1": opus4,
  "claude-opus-4-5": opus5,
  "claude-opus-4-6": opus5,
  "claude-opus-4-7": opus5,
  "claude-opus-4-8": opus5,
  "claude-opus-5": opus5,
  "claude-opus-5-5": { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5, ...anthropic2026October },
  "claude-fable-5": fable5,
  "claude-fable-5-1": { ...fable5, cacheRead: 0.25, ...anthropic2026October },
  "gemini-2.5-pro": {
    input: 1.25,
    output: 10,
    cacheRead: 0.125,
    longInput: { over: 200_000, input: 2.5, output: 15, cacheRead: 0.25 },
    ...google2025,
  },
  "gemini-2.5-flash": { input: 0.3, output: 2.5, cacheRead: 0.03, ...google2025 },
  "gemini-2.5-flash-lite": { input: 0.1, output: 0.4, cacheRead: 0.01, ...google2025 },
  "gemini-3.1-pro-preview": {
    input: 2,
    output: 12,
    cacheRead: 0.2,
    longInput: { over: 200_000, input: 4, output: 18, cacheRead: 0.4 },
    source: google,
    asOf: "2026-02-23",
  },
  "gemini-3.5-flash": { input: 1.5, output: 9, cacheRead: 0.15, source: google, asOf: "2026-05-19" },
};
