/*
 * TracedCalls: the one place where a client writes its trace context.
 *
 * Job: opens the CLIENT span of every A2A call and puts its context into the service parameters, and into the message's
 *   hop metadata for ways that strip headers.
 * Owns: the span. Does not own: deadlines, errors, the connection.
 *
 * I1  The span ends with the answer, the last event, the error, or the reader's leaving.
 * I2  What is sent below runs with tracing suppressed: nobody adds a second `traceparent`.
 * I3  With tracing off, what was received is passed on.
 */
import type { Message, SendMessageRequest, StreamResponse, Task } from "@a2a-js/sdk";
import {
  activeContext,
  conversationOf,
  injectCarrier,
  openSpan,
  runInContext,
  SpanKind,
  suppressTracing,
} from "@weft/tracing/internal";
import type { Attributes, OpenSpan, WeftSpan } from "@weft/tracing/internal";
import { Attr, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import { callAttributes, noteAnswer, noteResponse } from "../a2a/call-attributes.ts";
import { carrierOf, readHop, withHop } from "../a2a/hop.ts";
import { tracedStream } from "../a2a/traced-stream.ts";
import type { Binding } from "../a2a/uris.ts";
import { isRecord } from "../agent/message.ts";
import type { ResponseStream, TransportCall, TransportInterceptor } from "./intercept-transport.ts";

export class TracedCalls implements TransportInterceptor {
  readonly #spoken: { readonly binding: Binding; readonly version: string };
  readonly #attributes: Attributes;

  /** `attributes`: where the far side is (`server.*`). */
  constructor(spoken: { readonly binding: Binding; readonly version: string }, attributes: Attributes) {
    this.#spoken = spoken;
    this.#attributes = attributes;
  }

  async unary(call: TransportCall, next: (call: TransportCall) => Promise<unknown>): Promise<unknown> {
    const opened = this.#open(call);
    try {
      const sent = this.#carry(opened, call);
      const result = await runInContext(suppressTracing(opened.span.context), () => next(sent));
      noteResult(opened.span, result);
      opened.end();
      return result;
    } catch (error) {
      opened.fail(error);
      throw error;
    }
  }

  stream(call: TransportCall, next: (call: TransportCall) => ResponseStream): ResponseStream {
    const opened = this.#open(call);
    return tracedStream(opened, next(this.#carry(opened, call)), {
      context: suppressTracing(opened.span.context),
      onItem: (response) => noteEvent(opened.span, response),
      mapError: (error) => error,
      outcomeOnLeave: Outcomes.abandoned,
    });
  }

  /** The call with the span's context in its parameters, and in its message where parameters may be lost on the way. */
  #carry(opened: OpenSpan, call: TransportCall): TransportCall {
    const { method } = call;
    const { message } = call.params as Partial<SendMessageRequest>;
    const hop = readHop(message?.metadata);
    const own = injectCarrier(opened.span.context);
    const carrier = own["traceparent"] === undefined ? { ...carrierOf(hop), ...own } : own;
    const options = { ...call.options, serviceParameters: { ...call.options.serviceParameters, ...carrier } };
    if (!message) return { method, params: call.params, options };
    const conversationId = hop.conversationId ?? conversationOf(opened.span.context);
    // Nobody between two WebSocket peers reads a frame's parameters, let alone strips them.
    const added = {
      ...(this.#spoken.binding === "ws" ? {} : carrier),
      ...(conversationId === undefined ? {} : { conversationId }),
    };
    if (Object.keys(added).length === 0) return { method, params: call.params, options };
    const metadata = withHop(message.metadata, added);
    return { method, params: { ...(call.params as object), message: { ...message, metadata } }, options };
  }

  #open(call: TransportCall): OpenSpan {
    const { method, params } = call;
    const { message, taskId, id } = params as { message?: Message; taskId?: string; id?: string };
    return openSpan({
      name: method,
      type: SpanTypes.a2a,
      kind: SpanKind.CLIENT,
      parent: activeContext(),
      attributes: {
        ...callAttributes(method, this.#spoken, { message, taskId: taskId ?? id }),
        ...this.#attributes,
      },
    });
  }
}

function noteResult(span: WeftSpan, result: unknown): void {
  if (!isRecord(result)) return;
  noteAnswer(span, result);
  noteUsage(span, (result as Partial<Task | Message>).metadata);
}

function noteEvent(span: WeftSpan, response: StreamResponse): void {
  const { payload } = response;
  noteResponse(span, response);
  if (payload && payload.$case !== "artifactUpdate") noteUsage(span, payload.value.metadata);
}

/** A total that the far side reports: it counts only where no server span answered the call. */
function noteUsage(span: WeftSpan, metadata: Record<string, unknown> | undefined): void {
  const { usage } = readHop(metadata);
  if (!usage) return;
  span.setAttribute(Attr.remoteInputTokens, usage.inputTokens);
  span.setAttribute(Attr.remoteOutputTokens, usage.outputTokens);
}
