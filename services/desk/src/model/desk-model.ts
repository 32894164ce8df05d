import { openaiCompatible, type ChatModel } from "@weft/agents";
import { WeftError } from "@weft/tracing";

import { ruleModel } from "./rule-model.ts";
import type { Role } from "./rules.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The model of a desk agent: the language model that the environment names (`WEFT_MODEL`, with `OPENAI_API_KEY` or
 * `OPENAI_BASE_URL`), else rules. Throws `invalid_argument` when the environment names half a model.
 */
export function deskModel(role: Role, environment: Environment = process.env): ChatModel {
  const { WEFT_MODEL: model, OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL } = environment;
  if (!model) return ruleModel(role);
  if (!apiKey && !baseURL) {
    throw new WeftError(
      "invalid_argument",
      "WEFT_MODEL is set, but where to ask it is not: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own.",
    );
  }
  return openaiCompatible({
    baseURL: baseURL || "https://api.openai.com/v1",
    model,
    ...(apiKey ? { apiKey } : {}),
  });
}

/** Says which model answers, in words for a person. */
export function describeModel(environment: Environment = process.env): string {
  return environment["WEFT_MODEL"]
    ? `the model ${environment["WEFT_MODEL"]}`
    : "a small set of rules, not a language model (set WEFT_MODEL and OPENAI_API_KEY to use one)";
}
