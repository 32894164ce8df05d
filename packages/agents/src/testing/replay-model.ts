/*
 * replayModel: a model that answers as a stored trace says a model did.
 *
 * Job: gives each call the answer of the recorded call at its place; compares what is asked with what was.
 * Owns: the place. Does not own: the trace.
 *
 * I1  Calls are matched in their order, by agent where the answer names one: agents that run at once do not mix.
 * I2  The first request that differs from the recorded one is an error that names the call, the message and both texts.
 */
import type { ToolCall } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { Attr, Operations } from "@weft/tracing/vocabulary";
import type { ChatModel, ModelPart, ModelRequest, ModelResponse } from "../model/chat-model.ts";
import type { TraceTexts } from "./trace-texts.ts";
import { readTraceTexts, textOfRequestMessage } from "./trace-texts.ts";

/** A span as `traceOf`, `TraceClient.getTrace` and exports have it. */
export interface ReplayedSpan {
  readonly name: string;
  readonly startTime: number | string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A stored trace, a captured one, or its spans. */
export type ReplayedTrace =
  | readonly ReplayedSpan[]
  | { readonly data: { readonly spans: readonly ReplayedSpan[] } }
  | { readonly spans: readonly ReplayedSpan[] };

export interface ReplayModel extends ChatModel, Disposable {
  /** How many calls are recorded. */
  readonly length: number;
  /** Raises `failed_precondition` when recorded calls are left. */
  done(): void;
}

interface RecordedCall {
  readonly place: number;
  readonly span: ReplayedSpan;
  readonly response: ModelResponse;
}

/** Raises `invalid_argument` for a trace without model calls, and for one whose contents were not recorded. */
export function replayModel(trace: ReplayedTrace, { agent }: { readonly agent?: string } = {}): ReplayModel {
  const spans = spansOf(trace);
  const texts = readTraceTexts(spans);
  const calls = spans
    .filter(({ attributes }) => attributes[Attr.operationName] === Operations.chat)
    .map((span, place) => ({ place, span, response: responseOf(span, place) }))
    .filter(({ span }) => agent === undefined || speakerOf(span) === agent);
  if (calls.length === 0) throw new WeftError("invalid_argument", "The trace has no model calls to replay.");
  let next = 0;
  const answer = (request: ModelRequest): ModelResponse => {
    const call = calls[next++];
    if (!call) {
      throw new WeftError(
        "failed_precondition",
        `The trace has ${calls.length} model calls; this is one more.`,
      );
    }
    compare(call, request, texts);
    return call.response;
  };
  const done = (): void => {
    if (next >= calls.length) return;
    throw new WeftError(
      "failed_precondition",
      `${calls.length - next} of ${calls.length} recorded calls were not made.`,
    );
  };
  return {
    provider: nameIn(calls[0], Attr.providerName) ?? "replay",
    modelId: nameIn(calls[0], Attr.requestModel) ?? "replay",
    length: calls.length,
    done,
    [Symbol.dispose]: done,
    generate: async (request) => answer(request),
    async *stream(request): AsyncGenerator<ModelPart> {
      const response = answer(request);
      if (response.text) yield { type: "text-delta", text: response.text };
      yield { type: "finish", response };
    },
  };
}

function nameIn(call: RecordedCall | undefined, key: string): string | undefined {
  const name = call?.span.attributes[key];
  return typeof name === "string" ? name : undefined;
}

function spansOf(trace: ReplayedTrace): readonly ReplayedSpan[] {
  const spans = "data" in trace ? trace.data.spans : "spans" in trace ? trace.spans : trace;
  const time = ({ startTime }: ReplayedSpan): number =>
    typeof startTime === "number" ? startTime : Date.parse(startTime);
  return [...spans].sort((a, b) => time(a) - time(b));
}

interface WireMessage {
  readonly name?: string;
  readonly parts?: readonly Readonly<Record<string, unknown>>[];
}

function outputOf({ attributes }: ReplayedSpan): WireMessage | undefined {
  const given = attributes[Attr.outputMessages];
  const list: unknown = typeof given === "string" ? JSON.parse(given) : given;
  return Array.isArray(list) ? (list[0] as WireMessage) : undefined;
}

function speakerOf(span: ReplayedSpan): string | undefined {
  return outputOf(span)?.name;
}

function responseOf(span: ReplayedSpan, place: number): ModelResponse {
  const { attributes } = span;
  if (typeof attributes[Attr.errorType] === "string") {
    return { text: "", toolCalls: [], finishReason: "error" };
  }
  const output = outputOf(span);
  if (!output) {
    throw new WeftError(
      "invalid_argument",
      `Call ${place + 1} of the trace has no answer: it was recorded with content "none".`,
    );
  }
  const parts = output.parts ?? [];
  const number = (key: string): number => Number(attributes[key] ?? 0);
  const reasons = attributes[Attr.responseFinishReasons];
  const model = attributes[Attr.responseModel];
  const hasUsage = attributes[Attr.usageInputTokens] !== undefined;
  const usage = {
    inputTokens: number(Attr.usageInputTokens),
    outputTokens: number(Attr.usageOutputTokens),
    cacheReadTokens: number(Attr.usageCacheReadTokens),
    cacheWriteTokens: number(Attr.usageCacheWriteTokens),
    reasoningTokens: number(Attr.usageReasoningTokens),
  };
  return {
    ...(typeof model === "string" ? { model } : {}),
    text: parts.map(({ type, content }) => (type === "text" ? String(content) : "")).join(""),
    toolCalls: parts.filter(({ type }) => type === "tool_call").map(toCall),
    finishReason: Array.isArray(reasons) ? String(reasons[0]) : "stop",
    ...(hasUsage ? { usage } : {}),
  };
}

function toCall({ id, name, arguments: given }: Readonly<Record<string, unknown>>): ToolCall {
  return {
    id: String(id),
    name: String(name),
    arguments: typeof given === "string" ? given : JSON.stringify(given),
  };
}

function compare({ place, span }: RecordedCall, request: ModelRequest, texts: TraceTexts): void {
  const recorded = texts.contextOf(span);
  if (!recorded) return;
  const asked = request.messages.map(textOfRequestMessage);
  for (let index = 0; index < Math.max(recorded.length, asked.length); index++) {
    const before = recorded[index];
    // A text that the trace lacks (cut, redacted, of another process) is not compared.
    if (index < recorded.length && before === undefined) continue;
    if (before === asked[index]) continue;
    const [was, is] = [shown(before), shown(asked[index])];
    throw new WeftError(
      "failed_precondition",
      `The replay differs at call ${place + 1}, message ${index + 1}: recorded ${was}, asked ${is}.`,
    );
  }
}

function shown(text: string | undefined): string {
  return text === undefined ? "nothing" : JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
