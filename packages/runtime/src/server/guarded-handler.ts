/*
 * GuardedHandler: what every call must pass before the engine sees it, whatever the binding.
 *
 * Job: limits per caller, the shape and size of messages, capabilities that the card does not declare, the extended card.
 * Owns: nothing but the count of a call. Does not own: who calls (asked before), tasks (the engine's).
 *
 * I1  A call that is refused has cost no turn and leaves no trace in the engine.
 * I2  What a call occupied is free again when it ends, however it ends.
 */
import { Role, TaskState } from "@a2a-js/sdk";
import type { AgentCard, Message, SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import {
  ContentTypeNotSupportedError,
  RequestMalformedError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { checkDepth } from "../a2a/check-depth.ts";
import { LazyStream } from "../a2a/pull-stream.ts";
import { limitError } from "../a2a/wire-errors.ts";
import { callStateOf } from "../task/call-state.ts";
import type { CallerLimits } from "./caller-limits.ts";
import { isLoopback } from "./call-context.ts";
import type { Limits } from "./limits.ts";

type Params<M extends keyof A2ARequestHandler> = Parameters<A2ARequestHandler[M]>[0];
type Result<M extends keyof A2ARequestHandler> = Awaited<ReturnType<A2ARequestHandler[M]>>;
type Stream = AsyncGenerator<StreamResponse, void, undefined>;

export interface GuardOptions {
  readonly inner: A2ARequestHandler;
  readonly limits: Limits;
  readonly callers: CallerLimits;
  /** Media types that messages may have; undefined: any. */
  readonly inputModes?: readonly string[] | undefined;
  /** The card that only who logged in may read; undefined where there is none. */
  readonly extendedCard: () => Promise<AgentCard | undefined>;
}

export class GuardedHandler implements A2ARequestHandler {
  readonly #inner: A2ARequestHandler;
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#inner = options.inner;
    this.#options = options;
  }

  getAgentCard(): Promise<AgentCard> {
    return this.#inner.getAgentCard();
  }

  getAuthenticatedExtendedAgentCard(_params: unknown, context: ServerCallContext): Promise<AgentCard> {
    return this.#unary(context, async () => {
      const card = await this.#options.extendedCard();
      if (!card) throw new UnsupportedOperationError("This agent has no extended card.");
      if (context.user?.isAuthenticated) return card;
      throw new WeftError("unauthenticated", "The extended card is for callers who log in.");
    });
  }

  sendMessage(params: Params<"sendMessage">, context: ServerCallContext): Promise<Result<"sendMessage">> {
    return this.#unary(context, () => {
      this.#checkRequest(params);
      return this.#inner.sendMessage(params, context);
    });
  }

  sendMessageStream(params: Params<"sendMessageStream">, context: ServerCallContext): Stream {
    return this.#stream(context, () => {
      this.#checkRequest(params);
      return this.#inner.sendMessageStream(params, context);
    });
  }

  resubscribe(params: Params<"resubscribe">, context: ServerCallContext): Stream {
    return this.#stream(context, () => {
      checkId(params.id, "The task's id");
      return this.#inner.resubscribe(params, context);
    });
  }

  getTask(params: Params<"getTask">, context: ServerCallContext): Promise<Result<"getTask">> {
    return this.#unary(context, () => {
      checkId(params.id, "The task's id");
      checkCount(params.historyLength, "historyLength");
      return this.#inner.getTask(params, context);
    });
  }

  cancelTask(params: Params<"cancelTask">, context: ServerCallContext): Promise<Result<"cancelTask">> {
    return this.#unary(context, () => {
      checkId(params.id, "The task's id");
      return this.#inner.cancelTask(params, context);
    });
  }

  listTasks(params: Params<"listTasks">, context: ServerCallContext): Promise<Result<"listTasks">> {
    return this.#unary(context, () => {
      checkCount(params.historyLength, "historyLength");
      checkCount(params.pageSize, "pageSize");
      if (params.status === TaskState.UNRECOGNIZED)
        throw new RequestMalformedError("The status is not a state of a task.");
      const after = params.statusTimestampAfter;
      if (after !== undefined && Number.isNaN(Date.parse(after))) {
        throw new RequestMalformedError("statusTimestampAfter is not a time in ISO 8601.");
      }
      return this.#inner.listTasks(params, context);
    });
  }

  createTaskPushNotificationConfig(
    params: Params<"createTaskPushNotificationConfig">,
    context: ServerCallContext,
  ): Promise<Result<"createTaskPushNotificationConfig">> {
    return this.#unary(context, () => this.#inner.createTaskPushNotificationConfig(params, context));
  }

  getTaskPushNotificationConfig(
    params: Params<"getTaskPushNotificationConfig">,
    context: ServerCallContext,
  ): Promise<Result<"getTaskPushNotificationConfig">> {
    return this.#unary(context, () => this.#inner.getTaskPushNotificationConfig(params, context));
  }

  listTaskPushNotificationConfigs(
    params: Params<"listTaskPushNotificationConfigs">,
    context: ServerCallContext,
  ): Promise<Result<"listTaskPushNotificationConfigs">> {
    return this.#unary(context, () => this.#inner.listTaskPushNotificationConfigs(params, context));
  }

  deleteTaskPushNotificationConfig(
    params: Params<"deleteTaskPushNotificationConfig">,
    context: ServerCallContext,
  ): Promise<void> {
    return this.#unary(context, () => this.#inner.deleteTaskPushNotificationConfig(params, context));
  }

  async #unary<T>(context: ServerCallContext, call: () => Promise<T>): Promise<T> {
    const leave = this.#enter(context, "calls");
    try {
      return await call();
    } finally {
      leave();
    }
  }

  #stream(context: ServerCallContext, call: () => Stream): Stream {
    let leave: (() => void) | undefined;
    const open = (): Stream => {
      leave = this.#enter(context, "streams");
      return call();
    };
    return new LazyStream(open, () => leave?.());
  }

  /** Who is on this machine and needs no login is not held to a rate: a developer, a test, a sidecar. */
  #enter(context: ServerCallContext, kind: "calls" | "streams"): () => void {
    const { callerKey = "" } = callStateOf(context);
    const isRated = !(callerKey.startsWith("@") && isLoopback(callerKey.slice(1)));
    return this.#options.callers.enter(callerKey, kind, isRated);
  }

  #checkRequest({ message, configuration, metadata }: SendMessageRequest): void {
    if (!message) throw new RequestMalformedError("The request has no message.");
    checkCount(configuration?.historyLength, "historyLength");
    checkDepth(metadata, this.#options.limits.depth);
    this.#checkMessage(message);
  }

  #checkMediaType(mediaType: string): void {
    const { inputModes } = this.#options;
    if (mediaType === "" || inputModes === undefined || inputModes.some((mode) => isOf(mediaType, mode)))
      return;
    throw new ContentTypeNotSupportedError(
      `The media type "${mediaType.slice(0, 64)}" is not taken; the card says: ${inputModes.join(", ")}.`,
    );
  }

  #checkMessage(message: Message): void {
    const { parts, depth } = this.#options.limits;
    if (message.role !== Role.ROLE_USER && message.role !== Role.ROLE_AGENT) {
      throw new RequestMalformedError("The message's role is not one of A2A's.");
    }
    if (message.parts.length > parts) {
      throw limitError("parts", `The message exceeds the limit parts of ${parts}.`);
    }
    checkDepth(message.metadata, depth);
    for (const part of message.parts) {
      if (part.content === undefined)
        throw new RequestMalformedError("A part of the message has no content.");
      checkDepth(part.metadata, depth);
      if (part.content.$case === "data") checkDepth(part.content.value, depth);
      this.#checkMediaType(part.mediaType);
    }
  }
}

/** Whether a media type, its parameters aside, is `mode` or of its kind (`image/*`). */
function isOf(mediaType: string, mode: string): boolean {
  const bare = mediaType.split(";", 1)[0]!.trim().toLowerCase();
  return mode.endsWith("/*") ? bare.startsWith(mode.slice(0, -1)) : bare === mode;
}

function checkId(id: string, what: string): void {
  if (id === "") throw new RequestMalformedError(`${what} is missing.`);
}

function checkCount(count: number | undefined, name: string): void {
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0)) {
    throw new RequestMalformedError(`${name} must be a whole number from 0.`);
  }
}
