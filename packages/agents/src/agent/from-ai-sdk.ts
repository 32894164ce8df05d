/*
 * An AI SDK agent (`ToolLoopAgent`, or anything with its `stream` method) as one of ours.
 */
import type { Agent, AgentEventBody, AgentMessage, AgentSkill, AgentYield, Usage } from "@weft/runtime/agent";
import { defineAgent, messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { newMessageId } from "@weft/tracing/internal";

/** What we use of the AI SDK's `Agent` interface. */
export interface AiSdkAgent {
  readonly id?: string | undefined;
  // Method syntax on purpose: its parameters are compared bivariantly, so that the real, wider types fit.
  stream(options: never): PromiseLike<{ readonly fullStream: AsyncIterable<unknown> }>;
}

export interface FromAiSdkOptions {
  /** Default: the agent's `id`. */
  readonly name?: string;
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
}

type AiSdkMessage = { readonly role: "user" | "assistant" | "system"; readonly content: string };

/**
 * Wraps an AI SDK agent: a chat's member, a recipient, and servable. It runs its own tool loop; its model calls are told
 * by their usage, and in the trace by whatever telemetry it has. Raises `invalid_argument` for no agent, or one without a name.
 */
export function fromAiSdk(agent: AiSdkAgent, options: FromAiSdkOptions = {}): Agent {
  if (typeof (agent as Partial<AiSdkAgent> | null)?.stream !== "function") {
    throw new WeftError(
      "invalid_argument",
      "fromAiSdk needs an AI SDK agent: an object with a stream method.",
    );
  }
  const name = options.name ?? agent.id;
  if (!name) throw new WeftError("invalid_argument", "The AI SDK agent has no id: give fromAiSdk a name.");
  const { description, skills } = options;
  return defineAgent({
    name,
    ...(description === undefined ? {} : { description }),
    ...(skills === undefined ? {} : { skills }),
    async *respond({ messages }, { signal }) {
      const call = { messages: messages.map(toAiSdkMessage), abortSignal: signal };
      const { fullStream } = await agent.stream(call as never);
      yield* readParts(fullStream, signal);
    },
  });
}

function toAiSdkMessage(message: AgentMessage): AiSdkMessage {
  const { role, name, toolResponses = [] } = message;
  const text = [
    messageText(message),
    ...toolResponses.map(({ name, content }) => `(result of ${name}: ${content})`),
  ]
    .filter((each) => each !== "")
    .join("\n");
  if (role === "assistant" || role === "system") return { role, content: text };
  return { role: "user", content: name === undefined || name === "user" ? text : `${name}: ${text}` };
}

interface Part {
  readonly type?: string;
  readonly text?: string;
  readonly delta?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly totalUsage?: unknown;
  readonly usage?: unknown;
  readonly response?: { readonly modelId?: string };
}

/** The text of the last step is the reply; what was shown of an earlier one is taken back. */
async function* readParts(parts: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<AgentYield> {
  let messageId = newMessageId();
  let hasText = false;
  let text = "";
  for await (const given of parts) {
    const part = given as Part;
    switch (part.type) {
      case "start-step":
        if (hasText) yield { type: "reset", messageId };
        messageId = newMessageId();
        hasText = false;
        text = "";
        break;
      case "text-delta": {
        const delta = part.text ?? part.delta ?? "";
        hasText = true;
        text += delta;
        if (delta) yield { type: "text-delta", text: delta, messageId };
        break;
      }
      case "finish-step":
        yield usageEvent(part);
        break;
      case "error":
        signal.throwIfAborted();
        throw WeftError.from(part.error, "model_failed");
      case "abort":
        signal.throwIfAborted();
        break;
      default: {
        const event = toolEvent(part);
        if (event) yield event;
      }
    }
  }
  yield { id: messageId, content: text };
}

function toolEvent({
  type,
  toolCallId = "",
  toolName = "",
  input,
  output,
  error,
  text,
}: Part): AgentEventBody | undefined {
  switch (type) {
    case "reasoning-delta":
      return text ? { type, text } : undefined;
    case "tool-call":
      return { type, toolCallId, toolName, input };
    case "tool-result":
      return { type, toolCallId, output };
    case "tool-error":
      return { type: "tool-result", toolCallId, error: WeftError.from(error).message };
    default:
      return undefined;
  }
}

function usageEvent({ usage: given, response }: Part): AgentEventBody {
  const told = (given ?? {}) as {
    readonly inputTokens?: number;
    readonly outputTokens?: number;
    readonly inputTokenDetails?: { readonly cacheReadTokens?: number; readonly cacheWriteTokens?: number };
    readonly outputTokenDetails?: { readonly reasoningTokens?: number };
  };
  const {
    inputTokens = 0,
    outputTokens = 0,
    inputTokenDetails: read = {},
    outputTokenDetails: wrote = {},
  } = told;
  const usage: Usage = {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cacheReadTokens: read.cacheReadTokens ?? 0,
    cacheWriteTokens: read.cacheWriteTokens ?? 0,
    reasoningTokens: wrote.reasoningTokens ?? 0,
  };
  return { type: "usage", usage, ...(response?.modelId ? { model: response.modelId } : {}) };
}
