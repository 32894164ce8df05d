import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversableAgent, defaultPrices, openaiCompatible, setPrices } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";
import { costOf } from "../src/model/prices.ts";

test("[L1] Prices give cost: by the model's name, by the model's own price, by a table of the user's", async () => {
  const ask = async (options: Parameters<typeof scriptedModel>[1]) => {
    const model = scriptedModel([{ text: "hi", usage: { inputTokens: 60, outputTokens: 40 } }], options);
    return (await new ConversableAgent({ name: "a", model }).run("go").result).cost;
  };
  assert.equal(await ask({}), undefined);
  assert.equal(await ask({ modelId: "gpt-4o-2024-08-06" }), (60 * 2.5 + 40 * 10) / 1e6);
  assert.equal(await ask({ modelId: "gpt-5.9" }), undefined);
  setPrices({ ...defaultPrices, "my-model": { input: 1, output: 2 } });
  assert.equal(await ask({ modelId: "my-model" }), (60 + 80) / 1e6);
  setPrices(defaultPrices);
  assert.throws(() => setPrices({ bad: { input: -1, output: 1 } }), { code: "invalid_argument" });
  const long = { over: 0, input: 1, output: 1 };
  assert.throws(() => setPrices({ bad: { input: 1, output: 1, longInput: long } }), {
    code: "invalid_argument",
  });
  assert.equal(openaiCompatible({ model: "x", price: { input: 1, output: 1 } }).price?.input, 1);
});

test("[L1] Only a date makes another name the same model; a price that is not known is not guessed", () => {
  const usage = { inputTokens: 1e6, outputTokens: 0 };
  const cost = (modelId: string) => costOf(scriptedModel([], { modelId }), undefined, usage);
  assert.equal(cost("claude-opus-4-20250514"), 15);
  assert.equal(cost("claude-opus-4-5@20251101"), 5);
  assert.equal(cost("openai/gpt-4.1-2025-04-14"), 2);
  assert.equal(cost("gpt-4o-mini-latest"), 0.15);
  assert.equal(cost("gemini-2.5-flash-002"), 0.3);
  for (const name of ["claude-opus-4-9", "gpt-4o:free", "gpt-4o-audio-preview", "gpt-4", "constructor"]) {
    assert.equal(cost(name), undefined, name);
  }
});

test("[L1] Cached tokens, and an input beyond a price's limit, have rates of their own", () => {
  const cost = (inputTokens: number, cacheReadTokens: number, cacheWriteTokens: number) =>
    costOf(scriptedModel([], { modelId: "claude-haiku-5-5" }), undefined, {
      inputTokens,
      outputTokens: 1_000,
      cacheReadTokens,
      cacheWriteTokens,
    });
  assert.equal(cost(100_000, 50_000, 10_000), (40_000 * 0.1 + 50_000 * 0.01 + 10_000 * 0.125 + 500) / 1e6);
  assert.equal(cost(100_001, 0, 0), (100_001 * 0.5 + 1_000 * 2.5) / 1e6);
});

test("[L1] Every default price says where it is from and when that was read", () => {
  for (const [name, { source, asOf, longInput, ...rates }] of Object.entries(defaultPrices)) {
    assert.equal(new URL(source).protocol, "https:", name);
    assert.ok(Date.parse(asOf) > Date.parse("2025-07-01"), name);
    assert.ok(rates.output > rates.input && (rates.cacheRead ?? 0) < rates.input, name);
    if (longInput) assert.ok(longInput.input > rates.input, name);
  }
});
