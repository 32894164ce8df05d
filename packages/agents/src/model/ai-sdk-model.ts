import type { AgentMessage, ContentPart, ToolCall } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { normaliseToolName } from "../tool/tool-name.ts";
import type {
  ChatModel,
  ModelCallOptions,
  ModelPart,
  ModelRequest,
  ModelResponse,
  ModelUsage,
  ToolChoice,
} from "./chat-model.ts";
import { readRetryAfterMs, retrying } from "./retry.ts";

/*
 * The AI SDK's language model objects, by their shape: what of `LanguageModelV3` and `LanguageModelV4` we use.
 * A test holds these types against the real ones of `@ai-sdk/provider`.
 */

interface AiSdkUsage {
  readonly inputTokens: {
    readonly total: number | undefined;
    readonly cacheRead: number | undefined;
    readonly cacheWrite: number | undefined;
  };
  readonly outputTokens: { readonly total: number | undefined; readonly reasoning: number | undefined };
}

interface AiSdkFinishReason {
  readonly unified: string;
}

interface AiSdkResponse {
  readonly id?: string;
  readonly modelId?: string;
}

interface AiSdkContent {
  readonly type: string;
}

interface AiSdkResult {
  readonly content: readonly AiSdkContent[];
  readonly finishReason: AiSdkFinishReason;
  readonly usage: AiSdkUsage;
  readonly response?: AiSdkResponse | undefined;
}

/** An AI SDK `LanguageModelV3` or `LanguageModelV4`, from any provider package. */
export interface AiSdkModel {
  readonly specificationVersion: "v3" | "v4";
  readonly provider: string;
  readonly modelId: string;
  // Method syntax on purpose: its parameters are compared bivariantly, so that the real, wider types fit.
  doGenerate(options: never): PromiseLike<AiSdkResult>;
  doStream(options: never): PromiseLike<{ readonly stream: ReadableStream<AiSdkContent> }>;
}

export function isAiSdkModel(value: unknown): value is AiSdkModel {
  const candidate = value as Partial<AiSdkModel> | null;
  return typeof candidate?.doGenerate === "function" && typeof candidate.doStream === "function";
}

/** Raises `invalid_argument` for another version of the AI SDK's interface. */
export function fromAiSdkModel(model: AiSdkModel): ChatModel {
  const version: string = model.specificationVersion;
  if (version !== "v3" && version !== "v4") {
    throw new WeftError(
      "invalid_argument",
      `The AI SDK model "${model.modelId}" has interface ${version}; use a provider package with v3 or v4 (AI SDK 6 or 7).`,
    );
  }
  return {
    // `openai.chat` and the like: the part before the dot is the provider.
    provider: model.provider.split(".")[0] ?? model.provider,
    modelId: model.modelId,
    supportsStructuredOutput: true,
    async generate(request, call) {
      const options = toCallOptions(version, request, call);
      return fromResult(await ask(request, call, () => model.doGenerate(options as never)));
    },
    stream: (request, call) => streamParts(model, version, request, call),
  };
}

/** The model objects themselves do not repeat: in the AI SDK their callers do. */
function ask<T>({ settings }: ModelRequest, call: ModelCallOptions, run: () => PromiseLike<T>): Promise<T> {
  return retrying(() => guard(call, run), { ...call, maxRetries: settings?.maxRetries });
}

async function guard<T>({ signal }: ModelCallOptions, run: () => PromiseLike<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    signal.throwIfAborted();
    throw asModelError(error);
  }
}

/** What of the AI SDK's `APICallError` counts here; its headers' names are in lower case. */
interface AiSdkCallError {
  readonly isRetryable?: unknown;
  readonly message?: unknown;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

function asModelError(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  const { isRetryable, message, responseHeaders } = (error ?? {}) as AiSdkCallError;
  const text = typeof message === "string" ? message : String(error);
  const retryAfterMs = readRetryAfterMs((name) => responseHeaders?.[name]);
  const details = retryAfterMs === undefined ? {} : { details: { retryAfterMs } };
  return new WeftError("model_failed", text, { cause: error, retryable: isRetryable === true, ...details });
}

async function* streamParts(
  model: AiSdkModel,
  version: "v3" | "v4",
  request: ModelRequest,
  call: ModelCallOptions,
): AsyncGenerator<ModelPart> {
  const options = toCallOptions(version, request, call);
  const { stream } = await ask(request, call, () => model.doStream(options as never));
  const draft = new Draft();
  const iterator = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await guard(call, () => iterator.next());
      if (done) break;
      const part = draft.add(value);
      if (part) yield part;
    }
  } finally {
    await iterator.return?.();
  }
  yield { type: "finish", response: draft.finish() };
}

/** An answer as it grows, from a stream's parts or from whole content: both name their pieces alike. */
class Draft {
  #text = "";
  #reasoning = "";
  #response: AiSdkResponse = {};
  #finish: { readonly finishReason: AiSdkFinishReason; readonly usage: AiSdkUsage } | undefined;
  readonly #toolCalls: ToolCall[] = [];

  add(part: AiSdkContent): ModelPart | undefined {
    switch (part.type) {
      case "text-delta":
        return this.addText((part as unknown as { delta: string }).delta);
      case "reasoning-delta":
        return this.addReasoning((part as unknown as { delta: string }).delta);
      case "tool-call":
        this.addToolCall(part as unknown as AiSdkToolCall);
        return undefined;
      case "response-metadata":
        this.#response = part as AiSdkResponse;
        return undefined;
      case "finish":
        this.#finish = part as unknown as AiSdkResult;
        return undefined;
      case "error":
        throw asModelError((part as unknown as { error: unknown }).error);
      default:
        return undefined;
    }
  }

  addText(text: string): ModelPart {
    this.#text += text;
    return { type: "text-delta", text };
  }

  addReasoning(text: string): ModelPart {
    this.#reasoning += text;
    return { type: "reasoning-delta", text };
  }

  /** A call that the provider runs itself is none of ours. */
  addToolCall(call: AiSdkToolCall): void {
    if (call.providerExecuted) return;
    this.#toolCalls.push({
      id: call.toolCallId,
      name: normaliseToolName(call.toolName),
      arguments: call.input,
    });
  }

  finish(
    result: Pick<AiSdkResult, "finishReason" | "usage" | "response"> | undefined = this.#finish,
  ): ModelResponse {
    if (!result) throw new WeftError("unavailable", "The model's stream broke off before its end.");
    const { id, modelId } = result.response ?? this.#response;
    return {
      ...(id ? { id } : {}),
      ...(modelId ? { model: modelId } : {}),
      text: this.#text,
      ...(this.#reasoning ? { reasoning: this.#reasoning } : {}),
      toolCalls: this.#toolCalls,
      finishReason: result.finishReason.unified.replaceAll("-", "_"),
      ...fromUsage(result.usage),
    };
  }
}

interface AiSdkToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: string;
  readonly providerExecuted?: boolean;
}

function fromResult(result: AiSdkResult): ModelResponse {
  const draft = new Draft();
  for (const part of result.content) {
    if (part.type === "text") draft.addText((part as unknown as { text: string }).text);
    else if (part.type === "reasoning") draft.addReasoning((part as unknown as { text: string }).text);
    else if (part.type === "tool-call") draft.addToolCall(part as unknown as AiSdkToolCall);
  }
  return draft.finish(result);
}

function fromUsage({ inputTokens, outputTokens }: AiSdkUsage): { readonly usage?: ModelUsage } {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return {};
  const usage = {
    inputTokens: inputTokens.total ?? 0,
    outputTokens: outputTokens.total ?? 0,
    ...(inputTokens.cacheRead === undefined ? {} : { cacheReadTokens: inputTokens.cacheRead }),
    ...(inputTokens.cacheWrite === undefined ? {} : { cacheWriteTokens: inputTokens.cacheWrite }),
    ...(outputTokens.reasoning === undefined ? {} : { reasoningTokens: outputTokens.reasoning }),
  };
  return { usage };
}

/** The two versions differ, for us, only in how a file's data is wrapped. */
function toCallOptions(version: "v3" | "v4", request: ModelRequest, { signal }: ModelCallOptions) {
  const { settings = {}, tools, responseFormat } = request;
  const choice = request.toolChoice ?? settings.toolChoice;
  const format = responseFormat && {
    type: "json" as const,
    name: responseFormat.name,
    schema: responseFormat.schema,
  };
  return {
    prompt: toPrompt(version, request),
    abortSignal: signal,
    ...(settings.maxOutputTokens === undefined ? {} : { maxOutputTokens: settings.maxOutputTokens }),
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    ...(settings.topP === undefined ? {} : { topP: settings.topP }),
    ...(settings.stopSequences === undefined ? {} : { stopSequences: [...settings.stopSequences] }),
    ...(format ? { responseFormat: format } : {}),
    ...(tools?.length
      ? {
          tools: tools.map(({ name, description, parameters }) => ({
            type: "function" as const,
            name,
            description,
            inputSchema: parameters,
          })),
          ...(choice === undefined ? {} : { toolChoice: toToolChoice(choice) }),
        }
      : {}),
    ...(settings.providerOptions ? { providerOptions: settings.providerOptions } : {}),
  };
}

function toToolChoice(choice: ToolChoice) {
  return typeof choice === "string" ? { type: choice } : { type: "tool" as const, toolName: choice.name };
}

function toPrompt(version: "v3" | "v4", { system, messages }: ModelRequest) {
  const prompt: PromptMessage[] = system ? [{ role: "system", content: system }] : [];
  for (const message of messages) prompt.push(...toPromptMessages(version, message));
  return prompt;
}

type Text = { readonly type: "text"; readonly text: string };

type PromptMessage =
  | { role: "system"; content: string }
  | { role: "user"; content: ReturnType<typeof toPart>[] }
  | {
      role: "assistant";
      content: (Text | { type: "tool-call"; toolCallId: string; toolName: string; input: unknown })[];
    }
  | {
      role: "tool";
      content: {
        type: "tool-result";
        toolCallId: string;
        toolName: string;
        output: { type: "text" | "error-text"; value: string };
      }[];
    };

/** A speaker other than the model itself is named in front of its text: the interface has no field for it. */
function toPromptMessages(version: "v3" | "v4", message: AgentMessage): PromptMessage[] {
  if (message.role === "system") return [{ role: "system" as const, content: messageText(message) }];
  if (message.toolCalls?.length || message.role === "assistant") {
    const text = messageText(message);
    const calls = (message.toolCalls ?? []).map((call) => ({
      type: "tool-call" as const,
      toolCallId: call.id,
      toolName: call.name,
      input: parseInput(call.arguments),
    }));
    return [
      { role: "assistant" as const, content: [...(text ? [{ type: "text" as const, text }] : []), ...calls] },
    ];
  }
  const results = (message.toolResponses ?? []).map(({ toolCallId, name, content, isError }) => ({
    type: "tool-result" as const,
    toolCallId,
    toolName: name,
    output: { type: isError ? ("error-text" as const) : ("text" as const), value: content },
  }));
  const said = message.content === null || message.content === "" ? [] : toParts(version, message);
  return [
    ...(results.length ? [{ role: "tool" as const, content: results }] : []),
    ...(said.length || results.length === 0 ? [{ role: "user" as const, content: said }] : []),
  ];
}

/** What a model wrote need not be JSON; providers want an object either way. */
function parseInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { malformed: text };
  }
}

function toParts(version: "v3" | "v4", { content, name }: AgentMessage) {
  const parts: readonly ContentPart[] =
    typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
  const named =
    name === undefined || name === "user" ? parts : [{ type: "text" as const, text: `${name}:\n` }, ...parts];
  const joined: ReturnType<typeof toPart>[] = [];
  for (const part of named.map((each) => toPart(version, each))) {
    const before = joined.at(-1);
    if (before?.type === "text" && part.type === "text") {
      joined[joined.length - 1] = { type: "text", text: before.text + part.text };
    } else {
      joined.push(part);
    }
  }
  return joined;
}

function toPart(version: "v3" | "v4", part: ContentPart) {
  switch (part.type) {
    case "text":
      return { type: "text" as const, text: part.text };
    case "data":
      return { type: "text" as const, text: JSON.stringify(part.data) ?? "null" };
    case "image":
      return { type: "file" as const, mediaType: "image/*", data: wrapData(version, new URL(part.url)) };
    case "file": {
      const data = part.data ?? new URL(part.url ?? "");
      const mediaType = part.mediaType ?? "application/octet-stream";
      return {
        type: "file" as const,
        mediaType,
        ...(part.name ? { filename: part.name } : {}),
        data: wrapData(version, data),
      };
    }
  }
}

function wrapData(version: "v3" | "v4", data: URL | Uint8Array) {
  if (version === "v3") return data;
  return data instanceof URL ? { type: "url" as const, url: data } : { type: "data" as const, data };
}
