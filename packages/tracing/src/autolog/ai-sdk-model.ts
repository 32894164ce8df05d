import type { RecordableMessage } from "../content/message-schema.ts";
import { runInSpan } from "../fluent/run-in-span.ts";
import type { OpenSpan } from "../spans/open-span.ts";
import type { TokenUsage } from "../spans/weft-span.ts";
import { Attr, Operations, Outcomes } from "../vocabulary.ts";
import {
  fieldsOf,
  idOf,
  listOf,
  numberOf,
  openModelCall,
  recordAnswer,
  scalars,
  textOf,
  watchIdle,
} from "./model-call.ts";
import type { Fields, ModelAnswer, ModelCall } from "./model-call.ts";

/** A copy of an AI SDK language model (specification v2 to v4) whose calls are traced. */
export function traceAiSdkModel<T extends object>(model: T): T {
  return new Proxy(model, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      const bound = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      if (key !== "doGenerate" && key !== "doStream") return bound;
      return (...args: unknown[]) => {
        const open = openModelCall("aisdk", toCall(target, args[0], key === "doStream"));
        if (open === undefined) return bound(...args);
        return runInSpan(open, () => bound(...args), {
          onResult: (result) => recordAnswer(open, toAnswer(result)),
          take: (result) => watchStream(result, open),
        });
      };
    },
  });
}

const parameters = {
  temperature: Attr.requestTemperature,
  topP: Attr.requestTopP,
  topK: Attr.requestTopK,
  maxOutputTokens: Attr.requestMaxTokens,
  frequencyPenalty: Attr.requestFrequencyPenalty,
  presencePenalty: Attr.requestPresencePenalty,
  seed: Attr.requestSeed,
} as const;

function toCall(model: object, options: unknown, stream: boolean): ModelCall {
  const { provider, modelId } = fieldsOf(model);
  const fields = fieldsOf(options);
  return {
    operation: Operations.chat,
    // "openai.chat": the provider is what stands before the dot.
    provider: (textOf(provider) ?? "").split(".")[0] ?? "",
    model: textOf(modelId) ?? "",
    attributes: { ...scalars(fields, parameters), ...(stream ? { [Attr.requestStream]: true } : {}) },
    messages: listOf(fields["prompt"]).map((message) => ({
      id: idOf(message),
      ...toRecordable(textOf(message["role"]) ?? "user", message["content"]),
    })),
  };
}

function toRecordable(role: string, content: unknown): Omit<RecordableMessage, "id"> {
  const known = role === "assistant" || role === "system" || role === "tool" ? role : "user";
  if (!Array.isArray(content)) return { role: known, content };
  const parts = listOf(content);
  const toolCalls = parts.filter(({ type }) => type === "tool-call").map(toToolCall);
  const toolResponses = parts.filter(({ type }) => type === "tool-result").map(toToolResponse);
  const others = parts.filter(({ type }) => type !== "tool-call" && type !== "tool-result");
  return {
    role: known,
    content: others.length === 0 ? null : others,
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(toolResponses.length === 0 ? {} : { toolResponses }),
  };
}

function toToolCall({ toolCallId, toolName, input }: Fields): {
  id: string;
  name: string;
  arguments: string;
} {
  return { id: textOf(toolCallId) ?? "", name: textOf(toolName) ?? "", arguments: asJson(input) };
}

function toToolResponse({ toolCallId, toolName, output }: Fields): {
  toolCallId: string;
  name: string;
  content: string;
} {
  const { value = output } = fieldsOf(output);
  return { toolCallId: textOf(toolCallId) ?? "", name: textOf(toolName) ?? "", content: asJson(value) };
}

function asJson(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function toAnswer(result: unknown): ModelAnswer {
  const fields = fieldsOf(result);
  const response = fieldsOf(fields["response"]);
  return {
    id: textOf(response["id"]),
    model: textOf(response["modelId"]),
    finishReasons: reasonsOf(fields["finishReason"]),
    usage: toUsage(fields["usage"]),
    messages: [toRecordable("assistant", fields["content"])],
  };
}

/** A word until v3, since then `{ unified, raw }`. */
function reasonsOf(reason: unknown): readonly string[] {
  const text = textOf(reason) ?? textOf(fieldsOf(reason)["unified"]);
  return text === undefined ? [] : [text];
}

/** Numbers until v2, since then objects with a total and its parts. */
function toUsage(usage: unknown): TokenUsage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = fieldsOf(usage);
  const input = fieldsOf(inputTokens);
  const output = fieldsOf(outputTokens);
  return {
    inputTokens: numberOf(inputTokens) ?? numberOf(input["total"]),
    outputTokens: numberOf(outputTokens) ?? numberOf(output["total"]),
    cacheReadTokens: numberOf(cachedInputTokens) ?? numberOf(input["cacheRead"]),
    cacheWriteTokens: numberOf(input["cacheWrite"]),
    reasoningTokens: numberOf(reasoningTokens) ?? numberOf(output["reasoning"]),
  };
}

/** A streamed answer: the same result, its stream watched. Undefined when there is no stream in it. */
function watchStream(result: unknown, open: OpenSpan): unknown {
  const { stream } = fieldsOf(result);
  if (!(stream instanceof ReadableStream)) return undefined;
  const reader = (stream as ReadableStream<unknown>).getReader();
  const parts: Fields[] = [];
  const record = (): void => recordAnswer(open, answerOf(parts));
  const idle = watchIdle(open, record);
  const finish = (): void => {
    idle.stop();
    record();
  };
  const watched = new ReadableStream<unknown>(
    {
      async pull(controller) {
        try {
          idle.asked();
          const step = await open.run(() => reader.read());
          if (!step.done) {
            parts.push(fieldsOf(step.value));
            idle.answered();
            controller.enqueue(step.value);
            return;
          }
          finish();
          const failed = parts.find(({ type }) => type === "error");
          if (failed === undefined) open.end();
          else open.fail(failed["error"]);
          controller.close();
        } catch (error) {
          finish();
          open.fail(error);
          controller.error(error);
        }
      },
      async cancel(reason) {
        finish();
        open.end(Outcomes.cancelled);
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { ...fieldsOf(result), stream: watched };
}

function answerOf(parts: readonly Fields[]): ModelAnswer {
  const text = parts.filter(({ type }) => type === "text-delta").map(({ delta }) => textOf(delta) ?? "");
  const calls = parts.filter(({ type }) => type === "tool-call");
  const finish = parts.find(({ type }) => type === "finish");
  const response = parts.find(({ type }) => type === "response-metadata");
  const content = [...(text.length === 0 ? [] : [{ type: "text", text: text.join("") }]), ...calls];
  return toAnswer({ ...finish, response, content });
}
