/*
 * The one place that calls a model.
 *
 * Job: opens the `chat {model}` span, streams the answer, and says on the span all that SPANS.md asks of a model call.
 * Owns: the span, the clock until the first part, the answer's message.
 * Does not own: the history the answer is appended to, or what is done with its tool calls.
 *
 * I1  Usage is said once: on the span of the model that answered, and in one `usage` event.
 * I2  The model runs with tracing suppressed: no `traceparent` goes to a model host.
 * I3  Every error is a WeftError; every span ends exactly once, also when the reader leaves.
 */
import type { AgentEventBody, AgentMessage, Emit, Journal, UsageReport } from "@weft/runtime/agent";
import { createMessage, parseMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { Context, OpenSpan, SpanContext, WeftSpan } from "@weft/tracing/internal";
import {
  SpanKind,
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
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { CallClock } from "../agent/call-clock.ts";
import type { BudgetMeter } from "../chat/budget-meter.ts";
import { AttemptSpans } from "./attempt-spans.ts";
import type { ChatModel, ModelCallOptions, ModelPart, ModelRequest, ModelResponse } from "./chat-model.ts";
import { reportOf, requestAttributes, responseAttributes } from "./describe-call.ts";
import { leaveParts, startFirstPartClock } from "./first-part.ts";

export interface ModelCall {
  readonly model: ChatModel;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  /** What the conversation may still spend. */
  readonly meter?: BudgetMeter | undefined;
  /** Who speaks: the name on the answer's message. */
  readonly name: string;
  /** What the model is sent after the system text, in order, as runs of histories and ids (`weft.context`). */
  readonly context: readonly string[];
  /** Index of the first message whose text the trace may not have yet. Default 0. */
  readonly freshFrom?: number;
  /** Ids under which the system text and the tool definitions are recorded, once per trace. */
  readonly systemId?: string | undefined;
  readonly toolsId?: string | undefined;
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

/** Streams an answer: its deltas and its usage are told on the way. */
export async function streamModel(call: ModelCall, emit: Emit<AgentEventBody>): Promise<ModelAnswer> {
  const begun = call.journal && (await call.journal.begin("model"));
  if (begun?.isDone) return repeatAnswer(begun.result as ModelAnswer, emit);
  call.meter?.check(call.request.settings?.maxOutputTokens);
  const spans = new AttemptSpans(call.model, (model, parent) =>
    openChatSpan({ ...call, model }, true, parent),
  );
  const clock = startClock(call, spans);
  let answer: ModelAnswer;
  try {
    const quiet = suppressTracing(spans.opened.span.context);
    const messageId = newMessageId();
    const response = await runInContext(quiet, () => readParts(call, spans, clock, messageId, emit));
    answer = finish(call, spans.opened.span, response, messageId);
    spans.opened.end();
  } catch (error) {
    throw fail(call, spans.opened, error);
  } finally {
    clock.release();
  }
  await begun?.step.finish(answer);
  if (answer.usage) await emit({ type: "usage", ...answer.usage });
  return answer;
}

/** The answer of an attempt that a crash ended: what was shown of it was taken back. */
async function repeatAnswer(stored: ModelAnswer, emit: Emit<AgentEventBody>): Promise<ModelAnswer> {
  const answer = readAnswer(stored);
  const { text } = answer.response;
  if (text !== "") await emit({ type: "text-delta", text, messageId: answer.message.id });
  if (answer.usage) await emit({ type: "usage", ...answer.usage });
  return answer;
}

function readAnswer(stored: ModelAnswer): ModelAnswer {
  return { ...stored, message: parseMessage(stored.message) };
}

/** Tells the parts as they come; gives what the last one holds. */
async function readParts(
  { model, request, signal }: ModelCall,
  spans: AttemptSpans,
  clock: CallClock,
  messageId: string,
  emit: Emit<AgentEventBody>,
): Promise<ModelResponse | undefined> {
  const parts = model.stream(request, optionsOf(spans, clock))[Symbol.asyncIterator]();
  let response: ModelResponse | undefined;
  try {
    let step = await clock.wait(() => parts.next());
    clock.stop();
    const { span } = spans.opened;
    span.setAttribute(Attr.responseTimeToFirstChunk, (performance.now() - spans.startedAt) / 1000);
    for (; !step.done; step = await parts.next()) {
      const part = step.value;
      if (part.type === "finish") response = part.response;
      if (part.type === "finish" || part.text === "") continue;
      // A token costs no promise while its reader keeps up.
      const room = emit(tell(part, spans.opened.span, messageId));
      if (room) await room;
    }
  } catch (error) {
    await leaveParts(parts, signal);
    throw error;
  }
  return response;
}

function tell(
  part: Exclude<ModelPart, { type: "finish" }>,
  span: WeftSpan,
  messageId: string,
): AgentEventBody {
  if (part.type !== "text-delta") return part;
  notePartialText(span, part.text);
  return { type: "text-delta", text: part.text, messageId };
}

/** One whole answer, for a question that nobody reads as it is written: a selection, a summary. */
export async function generateWithModel(call: ModelCall): Promise<ModelAnswer> {
  const begun = await call.journal?.begin("model");
  if (begun?.isDone) return readAnswer(begun.result as ModelAnswer);
  const answer = await askModelOnce(call);
  await begun?.step.finish(answer);
  return answer;
}

async function askModelOnce(call: ModelCall): Promise<ModelAnswer> {
  call.meter?.check(call.request.settings?.maxOutputTokens);
  const spans = new AttemptSpans(call.model, (model, parent) =>
    openChatSpan({ ...call, model }, false, parent),
  );
  const clock = startClock(call, spans);
  try {
    const quiet = suppressTracing(spans.opened.span.context);
    const ask = (): Promise<ModelResponse> => call.model.generate(call.request, optionsOf(spans, clock));
    const response = await clock.wait(() => runInContext(quiet, ask));
    return finish(call, spans.opened.span, response, newMessageId());
  } catch (error) {
    throw fail(call, spans.opened, error);
  } finally {
    clock.release();
    spans.opened.end();
  }
}

/** Until the first part; then the stream's own pace counts. A call that is given up is over in the trace at once. */
function startClock({ model, request, signal }: ModelCall, spans: AttemptSpans): CallClock {
  return startFirstPartClock(model, request, signal, (error) => spans.opened.fail(error));
}

function optionsOf(spans: AttemptSpans, clock: CallClock): ModelCallOptions {
  return { signal: clock.signal, onFailedAttempt: (failed) => spans.fail(failed, clock) };
}

function openChatSpan(call: ModelCall, isStream: boolean, parent: Context): OpenSpan {
  const { model, request } = call;
  const opened = openSpan({
    name: `${Operations.chat} ${model.modelId}`,
    type: SpanTypes.llm,
    kind: SpanKind.CLIENT,
    attributes: requestAttributes(model, request, isStream),
    parent,
  });
  const { span } = opened;
  if (!span.isRecording()) return opened;
  const { systemId } = call;
  if (request.system === undefined || !systemId) describeContext(span, call.context);
  else {
    describeContext(span, [`id:${systemId}`, ...call.context]);
    recordSystem(span, { id: systemId, text: request.system });
  }
  if (request.tools?.length && call.toolsId)
    recordTools(span, { id: call.toolsId, definitions: request.tools });
  // `full` repeats what `delta` says once: backends that know no places read whole calls.
  const fresh = contentSettings().policy === "full" ? 0 : (call.freshFrom ?? 0);
  recordInput(span, fresh === 0 ? request.messages : request.messages.slice(fresh));
  return opened;
}

function finish(
  call: ModelCall,
  span: WeftSpan,
  response: ModelResponse | undefined,
  id: string,
): ModelAnswer {
  checkResponse(call.model, response);
  const message = createMessage({
    id,
    role: "assistant",
    name: call.name,
    content: response.text === "" && response.toolCalls.length > 0 ? null : response.text,
    toolCalls: response.toolCalls,
  });
  const usage = reportOf(call.model, response);
  if (span.isRecording()) {
    span.setAttributes(responseAttributes(response, usage));
    recordOutput(span, [message]);
  }
  if (usage) call.meter?.spend(usage);
  return { message, response, span: span.spanContext(), ...(usage ? { usage } : {}) };
}

/** A `ChatModel` may be anybody's. */
function checkResponse(
  { modelId }: ChatModel,
  response: ModelResponse | undefined,
): asserts response is ModelResponse {
  if (typeof response?.text === "string" && Array.isArray(response.toolCalls)) return;
  const what = response ? "gave an answer without text and toolCalls" : "ended without an answer";
  throw new WeftError("model_failed", `Model "${modelId}" ${what}.`);
}

function fail({ signal }: ModelCall, opened: OpenSpan, error: unknown): WeftError {
  const failure =
    signal.aborted && !(error instanceof WeftError && error.code === "aborted")
      ? new WeftError("aborted", "The model call was aborted.", { cause: signal.reason })
      : WeftError.from(error, "model_failed");
  opened.fail(failure);
  return failure;
}
