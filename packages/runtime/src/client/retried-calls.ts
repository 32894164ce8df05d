import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import { WeftError } from "@weft/tracing";
import { activeContext } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import type { SendMessageRequest } from "@a2a-js/sdk";
import type { A2AMethod } from "../a2a/call-attributes.ts";
import type { ResponseStream, TransportCall, TransportInterceptor } from "./intercept-transport.ts";

/** What changes nothing, however often it is asked. */
const readingMethods: ReadonlySet<A2AMethod> = new Set([
  "GetTask",
  "ListTasks",
  "GetExtendedAgentCard",
  "GetTaskPushNotificationConfig",
  "ListTaskPushNotificationConfigs",
]);

const maxRetries = 2;
const firstPauseMs = 50;

/**
 * Asks again when the far side could not be reached, where that is safe: reading, and a message that a Weft service
 * knows again by its id in its context. A stream is never begun twice. The call's span says how often.
 */
export class RetriedCalls implements TransportInterceptor {
  readonly #knowsMessages: boolean;

  /** `knowsMessages`: the far side takes a message id once. */
  constructor(knowsMessages: boolean) {
    this.#knowsMessages = knowsMessages;
  }

  unary(call: TransportCall, next: (call: TransportCall) => Promise<unknown>): Promise<unknown> {
    return this.#isSafe(call) ? retried(call, next) : next(call);
  }

  stream(call: TransportCall, next: (call: TransportCall) => ResponseStream): ResponseStream {
    return next(call);
  }

  #isSafe({ method, params }: TransportCall): boolean {
    if (readingMethods.has(method)) return true;
    if (method !== "SendMessage" || !this.#knowsMessages) return false;
    const { message } = params as Partial<SendMessageRequest>;
    return message !== undefined && message.messageId !== "" && message.contextId !== "";
  }
}

async function retried(
  call: TransportCall,
  next: (call: TransportCall) => Promise<unknown>,
): Promise<unknown> {
  for (let retry = 0; ; retry++) {
    try {
      return await next(call);
    } catch (error) {
      if (retry === maxRetries || !isUnreachable(error)) throw error;
      const signal = call.options.signal;
      // Spread, so that clients of a service that comes back do not come back as one.
      const ms = firstPauseMs * 2 ** retry * (0.5 + Math.random());
      trace.getSpan(activeContext())?.setAttribute(Attr.a2aRetries, retry + 1);
      await sleep(ms, undefined, signal ? { signal } : {});
    }
  }
}

/** The far side's own refusal has a reason of its own; a connection that broke has none. */
function isUnreachable(error: unknown): boolean {
  return (
    error instanceof WeftError && error.code === "unavailable" && error.details?.["reason"] === undefined
  );
}
