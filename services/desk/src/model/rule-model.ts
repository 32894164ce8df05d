import type { ChatModel, ModelPart, ModelRequest, ModelResponse } from "@weft/agents";
import { newMessageId } from "@weft/tracing/internal";

import { rules, type Role } from "./rules.ts";

/**
 * A chat model of a few rules, for a desk without a language model. It says so: its provider is `weft-desk`, its
 * model `rules/{role}`. Its tokens are words, counted as it reads and writes them.
 */
export function ruleModel(role: Role): ChatModel {
  const generate = (request: ModelRequest): ModelResponse => {
    const decision = rules[role](request.messages);
    const text = "text" in decision ? decision.text : "";
    const toolCalls = "toolCall" in decision ? [{ id: newMessageId(), ...decision.toolCall }] : [];
    const spoken = text + toolCalls.map((call) => `${call.name} ${call.arguments}`).join(" ");
    return {
      model: `rules/${role}`,
      text,
      toolCalls,
      finishReason: toolCalls.length > 0 ? "tool_calls" : "stop",
      usage: { inputTokens: wordsRead(request), outputTokens: words(spoken) },
    };
  };
  return {
    provider: "weft-desk",
    modelId: `rules/${role}`,
    generate: async (request) => generate(request),
    stream: async function* stream(request): AsyncGenerator<ModelPart> {
      const response = generate(request);
      for (const text of response.text.match(/\S+\s*/g) ?? []) yield { type: "text-delta", text };
      yield { type: "finish", response };
    },
  };
}

function wordsRead({ system = "", messages }: ModelRequest): number {
  return messages.reduce(
    (count, { content, toolResponses = [] }) =>
      count +
      words(typeof content === "string" ? content : "") +
      toolResponses.reduce((sum, response) => sum + words(response.content), 0),
    words(system),
  );
}

function words(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
