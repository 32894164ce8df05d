/*
 * TracedHandler: the one place where a server reads a caller's trace context.
 *
 * Job: opens the SERVER span of every A2A call, whatever the binding, and turns what the engine throws into errors
 *   that may cross the binding.
 * Owns: the span. Does not own: who may call (the binding asked before), or the task.
 *
 * I1  Context is taken from this request's headers or message metadata, never from what is ambient in a worker.
 * I2  No header and no metadata makes a call fail.
 * I3  The SERVER span ends when nobody is left to answer; the task may go on.
 */
import { hash } from "node:crypto";
import type { Message, SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import {
  acceptCarrier,
  isRecording,
  openSpan,
  recordInput,
  setConversation,
  SpanKind,
  traceIdOf,
} from "@weft/tracing/internal";
import type { InboundPolicy, OpenSpan } from "@weft/tracing/internal";
import { Attr, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import { isRecord } from "../agent/message.ts";
import { callAttributes, noteAnswer, noteResponse } from "../a2a/call-attributes.ts";
import type { A2AMethod } from "../a2a/call-attributes.ts";
import { carrierOf, readHop } from "../a2a/hop.ts";
import { unpackMessages } from "../a2a/message-mapping.ts";
import { tracedStream } from "../a2a/traced-stream.ts";
import { toWireError } from "../a2a/wire-errors.ts";
import { callStateOf, ownerOf } from "../task/call-state.ts";
import type { CallState } from "../task/call-state.ts";
import { formatUuid, newUuid } from "../task/new-uuid.ts";
import { CallObserver } from "./call-observer.ts";

type Params<M extends keyof A2ARequestHandler> = Parameters<A2ARequestHandler[M]>[0];
type Result<M extends keyof A2ARequestHandler> = Awaited<ReturnType<A2ARequestHandler[M]>>;
type Subject = { message?: Message | undefined; taskId?: string | undefined };

export class TracedHandler implements A2ARequestHandler {
  readonly #inner: A2ARequestHandler;
  readonly #inbound: InboundPolicy | undefined;
  readonly #observer: CallObserver;

  /** `inbound`: what to make of every caller's context. Default: `parent` for trusted callers, `link` for others. */
  constructor(inner: A2ARequestHandler, inbound?: InboundPolicy, observer = new CallObserver()) {
    this.#inner = inner;
    this.#inbound = inbound;
    this.#observer = observer;
  }

  getAgentCard(): Promise<Result<"getAgentCard">> {
    return this.#inner.getAgentCard();
  }

  sendMessage(given: Params<"sendMessage">, context: ServerCallContext): Promise<Result<"sendMessage">> {
    const params = withContextId(given, context);
    return this.#unary("SendMessage", { message: params.message }, context, () =>
      this.#inner.sendMessage(params, context),
    );
  }

  sendMessageStream(
    given: Params<"sendMessageStream">,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const params = withContextId(given, context);
    const subject = { message: params.message };
    return this.#stream("SendStreamingMessage", subject, context, () =>
      this.#inner.sendMessageStream(params, context),
    );
  }

  resubscribe(
    params: Params<"resubscribe">,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const subject = { taskId: params.id };
    return this.#stream("SubscribeToTask", subject, context, () => this.#inner.resubscribe(params, context));
  }

  getTask(params: Params<"getTask">, context: ServerCallContext): Promise<Result<"getTask">> {
    return this.#unary("GetTask", { taskId: params.id }, context, () => this.#inner.getTask(params, context));
  }

  cancelTask(params: Params<"cancelTask">, context: ServerCallContext): Promise<Result<"cancelTask">> {
    return this.#unary("CancelTask", { taskId: params.id }, context, () =>
      this.#inner.cancelTask(params, context),
    );
  }

  listTasks(params: Params<"listTasks">, context: ServerCallContext): Promise<Result<"listTasks">> {
    return this.#unary("ListTasks", {}, context, () => this.#inner.listTasks(params, context));
  }

  createTaskPushNotificationConfig(
    params: Params<"createTaskPushNotificationConfig">,
    context: ServerCallContext,
  ): Promise<Result<"createTaskPushNotificationConfig">> {
    return this.#unary("CreateTaskPushNotificationConfig", params, context, () =>
      this.#inner.createTaskPushNotificationConfig(params, context),
    );
  }

  getTaskPushNotificationConfig(
    params: Params<"getTaskPushNotificationConfig">,
    context: ServerCallContext,
  ): Promise<Result<"getTaskPushNotificationConfig">> {
    return this.#unary("GetTaskPushNotificationConfig", params, context, () =>
      this.#inner.getTaskPushNotificationConfig(params, context),
    );
  }

  listTaskPushNotificationConfigs(
    params: Params<"listTaskPushNotificationConfigs">,
    context: ServerCallContext,
  ): Promise<Result<"listTaskPushNotificationConfigs">> {
    return this.#unary("ListTaskPushNotificationConfigs", params, context, () =>
      this.#inner.listTaskPushNotificationConfigs(params, context),
    );
  }

  deleteTaskPushNotificationConfig(
    params: Params<"deleteTaskPushNotificationConfig">,
    context: ServerCallContext,
  ): Promise<void> {
    return this.#unary("DeleteTaskPushNotificationConfig", params, context, () =>
      this.#inner.deleteTaskPushNotificationConfig(params, context),
    );
  }

  getAuthenticatedExtendedAgentCard(
    params: Params<"getAuthenticatedExtendedAgentCard">,
    context: ServerCallContext,
  ): Promise<Result<"getAuthenticatedExtendedAgentCard">> {
    return this.#unary("GetExtendedAgentCard", {}, context, () =>
      this.#inner.getAuthenticatedExtendedAgentCard(params, context),
    );
  }

  async #unary<T>(
    method: A2AMethod,
    subject: Subject,
    context: ServerCallContext,
    call: () => Promise<T>,
  ): Promise<T> {
    const state = callStateOf(context);
    const opened = this.#open(method, subject, context);
    const ended = this.#observe(method, opened, context);
    try {
      const result = await opened.run(call);
      if (isRecord(result)) noteAnswer(opened.span, result);
      opened.end(state.signal?.aborted ? Outcomes.abandoned : undefined);
      ended();
      return result;
    } catch (error) {
      opened.fail(error);
      ended(error);
      throw toWireError(error, state.binding);
    }
  }

  #stream(
    method: A2AMethod,
    subject: Subject,
    context: ServerCallContext,
    call: () => AsyncGenerator<StreamResponse, void, undefined>,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const state = callStateOf(context);
    const opened = this.#open(method, subject, context);
    const ended = this.#observe(method, opened, context);
    return tracedStream(opened, opened.run(call), {
      onItem: (response) => noteResponse(opened.span, response),
      mapError: (error) => {
        ended(error);
        return toWireError(error, state.binding);
      },
      outcomeAtEnd: () => (state.signal?.aborted ? Outcomes.abandoned : undefined),
      outcomeOnLeave: Outcomes.abandoned,
      onEnd: ended,
    });
  }

  #observe(method: A2AMethod, opened: OpenSpan, context: ServerCallContext): (error?: unknown) => void {
    const { traceId, spanId } = opened.span;
    return this.#observer.begin({ method, context, traceId, spanId });
  }

  #open(method: A2AMethod, subject: Subject, context: ServerCallContext): OpenSpan {
    const state = callStateOf(context);
    const hop = (state.hop = readHop(subject.message?.metadata));
    const policy = this.#inbound ?? (state.isTrusted ? "parent" : "link");
    const accepted = acceptCarrier({ headers: (name) => state.headers[name], hop: carrierOf(hop) }, policy);
    const isObeyed = policy === "parent" && hop.conversationId !== undefined;
    const conversationId = isObeyed ? hop.conversationId : subject.message?.contextId || undefined;
    const parent = accepted.context;
    const spoken = { binding: state.binding, version: context.requestedVersion };
    const attributes = callAttributes(method, spoken, subject);
    if (context.tenant) attributes[Attr.a2aTenant] = context.tenant;
    if (!isObeyed && hop.conversationId !== undefined)
      attributes[Attr.remoteConversationId] = hop.conversationId;
    const opened = openSpan({
      name: method,
      type: SpanTypes.a2a,
      kind: SpanKind.SERVER,
      parent: conversationId === undefined ? parent : setConversation(parent, conversationId),
      links: accepted.links,
      root: policy !== "parent" && accepted.remote !== undefined,
      attributes,
    });
    state.traceId = traceIdOf(opened.span.context);
    if (subject.message && isRecording(opened.span.context)) recordMessage(opened, state, subject.message);
    return opened;
  }
}

/** What was received is recorded; a message that cannot be read is the engine's to refuse. */
function recordMessage(opened: OpenSpan, state: CallState, message: Message): void {
  if (message.messageId === "" || message.parts.length === 0) return;
  try {
    state.unpacked = unpackMessages(message);
    recordInput(opened.span, state.unpacked);
  } catch {
    // The engine reads the same message and says what is wrong with it.
  }
}

/**
 * A new conversation gets its context id here, so that the SERVER span can name it too. It is made from the message's id
 * and who sent it: a first message that is sent again, its answer lost, finds its conversation, and is one turn. A
 * short id may be anybody's: then the context is random, unless the sender logged in.
 */
function withContextId(params: SendMessageRequest, context: ServerCallContext): SendMessageRequest {
  const { message } = params;
  if (!message || message.contextId !== "" || message.taskId !== "") return params;
  const owner = ownerOf(context);
  const isUnique = message.messageId !== "" && (owner !== "" || message.messageId.length >= 32);
  const contextId = isUnique ? contextIdOf(owner, message.messageId) : newUuid();
  return { ...params, message: { ...message, contextId } };
}

function contextIdOf(owner: string, messageId: string): string {
  // Version 8: made by the application.
  return formatUuid(hash("sha256", JSON.stringify([owner, messageId]), "buffer"), 0, 8);
}
