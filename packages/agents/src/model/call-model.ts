/*
 * The one place that calls a model.
 *
 * Job: opens the `chat {model}` span, streams the answer, and says on the span all that SPANS.md asks of a model call.
 * Owns: the span, the clock until the first part, the answer's message.
 * Does not own: the history the answer is appended to, or what is done with its tool calls.
 *
 * I1  Usage is said once: on this span, and in one `usage` event.
 * I2  The model runs with tracing suppressed: no `traceparent` goes to a model host.
 * I3  Every error is a WeftError; the span ends exactly once, also when the reader leaves.
 */
import type { AgentEventBody, AgentMessage, Journal, Usage, UsageReport } from "@weft/runtime/agent";
import { createMessage, parseMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { Attributes, OpenSpan, SpanContext, WeftSpan } from "@weft/tracing/internal";
import {
  SpanKind,
  bindGenerator,
  contentSettings,
  describeContext,
  newMessageId,
  notePartialText,
  openSpan,
  recordInput,
  recordOutput,
  recordSystem,
  recordTools,
  runInContext,
  suppressTracing,
} from "@weft/tracing/internal";
import { Attr, Operations, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import type { BudgetMeter } from "../chat/budget-meter.ts";
import type { ChatModel, ModelPart, ModelRequest, ModelResponse, ModelUsage } from "./chat-model.ts";
import { costOf } from "./prices.ts";
import { startFirstPartClock } from "./first-part.ts";

export interface ModelCall {
  readonly model: ChatModel;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  /** What the conversation may still spend. */
  readonly meter?: BudgetMeter | undefined;
  /** Who speaks: the name on the answer's message. */
  readonly name: string;
  /** What the model is sent, in order, as runs of histories and ids (`weft.context`). */
  readonly context: readonly string[];
  /** Index of the first message whose text the trace may not have yet. Default 0. */
  readonly freshFrom?: number;
  /** Ids under which the system text and the tool definitions are recorded, once per trace. */
  readonly systemId?: string;
  readonly toolsId?: string;
  /** Of the turn, where it survives its process: an answer that stands there is taken from there, and opens no span. */
  readonly journal?: Journal | undefined;
}

export interface ModelAnswer {
  readonly message: AgentMessage;
  readonly response: ModelResponse;
  /** Undefined when the provider reported none. */
  readonly usage?: UsageReport;
  /** The call's span: tool calls link to it. */
  readonly span: SpanContext;
}

type ModelEvent = Extract<AgentEventBody, { readonly type: "text-delta" | "reasoning-delta" | "usage" }>;

const defaultTimeoutMs = 60_000;

/** Streams an answer: its deltas and its usage as events, then the answer. */
export async function* streamModel(call: ModelCall): AsyncGenerator<ModelEvent, ModelAnswer> {
  const begun = await call.journal?.begin("model");
  if (begun?.isDone) return yield* repeatAnswer(begun.result as ModelAnswer);
  const answer = yield* askModel(call);
  await begun?.step.finish(answer);
  if (answer.usage) yield { type: "usage", ...answer.usage };
  return answer;
}

/** The answer of an attempt that a crash ended: what was shown of it was taken back. */
function* repeatAnswer(stored: ModelAnswer): Generator<ModelEvent, ModelAnswer> {
  const answer = { ...stored, message: parseMessage(stored.message) };
  const { text } = answer.response;
  if (text !== "") yield { type: "text-delta", text, messageId: answer.message.id };
  if (answer.usage) yield { type: "usage", ...answer.usage };
  return answer;
}

async function* askModel(call: ModelCall): AsyncGenerator<ModelEvent, ModelAnswer> {
  call.meter?.check(call.request.settings?.maxOutputTokens);
  const opened = openChatSpan(call, true);
  const messageId = newMessageId();
  const startedAt = performance.now();
  const clock = startClock(call);
  let response: ModelResponse | undefined;
  let isFirst = true;
  let isLeft = false;
  try {
    const parts = openParts(call, opened, clock.signal)[Symbol.asyncIterator]();
    try {
      let step = await clock.wait(parts.next());
      for (; !step.done; step = await parts.next()) {
        if (isFirst) {
          isFirst = false;
          clock.stop();
          opened.span.setAttribute(Attr.responseTimeToFirstChunk, (performance.now() - startedAt) / 1000);
        }
        if (step.value.type === "finish") response = step.value.response;
        else {
          if (step.value.type === "text-delta") notePartialText(opened.span, step.value.text);
          yield* delta(step.value, messageId);
        }
      }
      isLeft = true;
    } finally {
      if (!isLeft) await leave(parts, call.signal);
    }
    if (!response)
      throw new WeftError("model_failed", `Model "${call.model.modelId}" ended without an answer.`);
    const answer = finish(call, opened.span, response, messageId);
    opened.end();
    return answer;
  } catch (error) {
    throw fail(call, opened, error);
  } finally {
    clock.release();
    opened.end(Outcomes.cancelled);
  }
}

/** One whole answer, for a question that nobody reads as it is written: a selection, a summary. */
export async function generateWithModel(call: ModelCall): Promise<ModelAnswer> {
  call.meter?.check(call.request.settings?.maxOutputTokens);
  const opened = openChatSpan(call, false);
  const clock = startClock(call);
  try {
    const quiet = suppressTracing(opened.span.context);
    const answer = runInContext(quiet, () => call.model.generate(call.request, { signal: clock.signal }));
    return finish(call, opened.span, await clock.wait(answer), newMessageId());
  } catch (error) {
    throw fail(call, opened, error);
  } finally {
    clock.release();
    opened.end();
  }
}

function startClock({ model, request, signal }: ModelCall) {
  return startFirstPartClock(
    signal,
    request.settings?.timeoutMs ?? defaultTimeoutMs,
    `Model "${model.modelId}"`,
  );
}

function openParts(
  { model, request }: ModelCall,
  opened: OpenSpan,
  signal: AbortSignal,
): AsyncGenerator<ModelPart> {
  const quiet = suppressTracing(opened.span.context);
  return bindGenerator(
    quiet,
    runInContext(quiet, () => model.stream(request, { signal })),
  );
}

/** A model that was given up is told so, but not waited for. */
async function leave(parts: AsyncIterator<ModelPart>, signal: AbortSignal): Promise<void> {
  const closing = Promise.resolve(parts.return?.()).catch(() => undefined);
  if (!signal.aborted) await Promise.race([closing, new Promise((resolve) => setImmediate(resolve))]);
}

function* delta(part: Exclude<ModelPart, { type: "finish" }>, messageId: string): Generator<ModelEvent> {
  if (part.text === "") return;
  yield part.type === "text-delta" ? { type: "text-delta", text: part.text, messageId } : part;
}

function openChatSpan(call: ModelCall, isStream: boolean): OpenSpan {
  const { model, request } = call;
  const opened = openSpan({
    name: `${Operations.chat} ${model.modelId}`,
    type: SpanTypes.llm,
    kind: SpanKind.CLIENT,
    attributes: { ...requestAttributes(model, request), ...(isStream ? { [Attr.requestStream]: true } : {}) },
  });
  const { span } = opened;
  describeContext(span, call.context);
  if (request.system !== undefined && call.systemId)
    recordSystem(span, { id: call.systemId, text: request.system });
  if (request.tools?.length && call.toolsId)
    recordTools(span, { id: call.toolsId, definitions: request.tools });
  // `full` repeats what `delta` says once: backends that know no places read whole calls.
  const fresh = contentSettings().policy === "full" ? 0 : (call.freshFrom ?? 0);
  recordInput(span, fresh === 0 ? request.messages : request.messages.slice(fresh));
  return opened;
}

function requestAttributes(model: ChatModel, { settings = {}, responseFormat }: ModelRequest): Attributes {
  return {
    ...(responseFormat ? { [Attr.outputType]: "json" } : {}),
    [Attr.operationName]: Operations.chat,
    [Attr.providerName]: model.provider,
    [Attr.requestModel]: model.modelId,
    ...(model.server ? { [Attr.serverAddress]: model.server.address } : {}),
    ...(model.server?.port === undefined ? {} : { [Attr.serverPort]: model.server.port }),
    ...(settings.temperature === undefined ? {} : { [Attr.requestTemperature]: settings.temperature }),
    ...(settings.topP === undefined ? {} : { [Attr.requestTopP]: settings.topP }),
    ...(settings.maxOutputTokens === undefined ? {} : { [Attr.requestMaxTokens]: settings.maxOutputTokens }),
    ...(settings.stopSequences === undefined
      ? {}
      : { [Attr.requestStopSequences]: [...settings.stopSequences] }),
  };
}

function finish(call: ModelCall, span: WeftSpan, response: ModelResponse, id: string): ModelAnswer {
  const message = createMessage({
    id,
    role: "assistant",
    name: call.name,
    content: response.text === "" && response.toolCalls.length > 0 ? null : response.text,
    toolCalls: response.toolCalls,
  });
  span.setAttribute(Attr.responseFinishReasons, [response.finishReason]);
  if (response.model) span.setAttribute(Attr.responseModel, response.model);
  if (response.id) span.setAttribute(Attr.responseId, response.id);
  if (response.usage) span.setAttributes(usageAttributes(response.usage));
  if (response.cacheHit) span.setAttribute(Attr.modelCacheHit, true);
  if (response.attempt !== undefined) span.setAttribute(Attr.modelFailoverAttempt, response.attempt);
  recordOutput(span, [message]);
  const usage = reportOf(call.model, response);
  if (usage?.cost !== undefined) span.setAttribute(Attr.cost, usage.cost);
  if (usage) call.meter?.spend(usage);
  return { message, response, span: span.spanContext(), ...(usage ? { usage } : {}) };
}

function reportOf(asked: ChatModel, response: ModelResponse): UsageReport | undefined {
  const { usage, answeredBy = asked } = response;
  if (!usage) return undefined;
  const model = response.model ?? answeredBy.modelId;
  const cost = response.cacheHit ? 0 : costOf(answeredBy, response.model, usage);
  return { usage: toUsage(usage), model, ...(cost === undefined ? {} : { cost }) };
}

function usageAttributes(usage: ModelUsage): Attributes {
  return {
    [Attr.usageInputTokens]: usage.inputTokens,
    [Attr.usageOutputTokens]: usage.outputTokens,
    ...(usage.cacheReadTokens === undefined ? {} : { [Attr.usageCacheReadTokens]: usage.cacheReadTokens }),
    ...(usage.cacheWriteTokens === undefined ? {} : { [Attr.usageCacheWriteTokens]: usage.cacheWriteTokens }),
    ...(usage.reasoningTokens === undefined ? {} : { [Attr.usageReasoningTokens]: usage.reasoningTokens }),
  };
}

function toUsage(usage: ModelUsage): Usage {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    totalTokens: usage.inputTokens + usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens ?? 0,
    cacheWriteTokens: usage.cacheWriteTokens ?? 0,
    reasoningTokens: usage.reasoningTokens ?? 0,
  };
}

function fail({ signal }: ModelCall, opened: OpenSpan, error: unknown): WeftError {
  const failure =
    signal.aborted && !(error instanceof WeftError && error.code === "aborted")
      ? new WeftError("aborted", "The model call was aborted.", { cause: signal.reason })
      : WeftError.from(error, "model_failed");
  opened.fail(failure);
  return failure;
}
