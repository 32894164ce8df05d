/*
 * PushSender: one notification, until it has arrived or is given up.
 *
 * Job: POSTs a state change, signed (standardwebhooks.com), again and again with growing pauses.
 * Owns: what is under way. Does not own: which configurations a task has.
 *
 * I1  Each POST is a `push` span; its context rides the POST.
 * I2  All attempts at one notification carry one `webhook-id`: the receiver drops repeats by it.
 * I3  Notifications to one configuration of one task go out in order.
 * I4  The URL is checked anew for each POST, and called at the address that was checked; a redirect is a failure.
 */
import { createHmac, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { StreamResponse, TaskState } from "@a2a-js/sdk";
import type { TaskPushNotificationConfig } from "@a2a-js/sdk";
import { V03PushNotificationSerializer } from "@a2a-js/sdk/compat/v0_3/server";
import { WeftError } from "@weft/tracing";
import { injectCarrier, instrument, runInContext, SpanKind, suppressTracing } from "@weft/tracing/internal";
import type { Context, WeftSpan } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { legacyVersion } from "../a2a/uris.ts";
import { checkUrl, pinnedLookup } from "../edge/url-guard.ts";
import type { CheckedUrl, UrlGuardOptions } from "../edge/url-guard.ts";

export interface PushSenderOptions {
  /** Which URLs may be called. Default: public addresses only. */
  readonly urls?: UrlGuardOptions;
  /** An Ed25519 private key: notifications carry a signature by it, besides the one by the configuration's token. */
  readonly signingKey?: KeyObject;
  /** Attempts at one notification. Default 6. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; doubled each time, up to a minute, with up to half as much at random. Default 1,000. */
  readonly backOffMs?: number;
  /** Milliseconds one POST may take. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface Notification {
  /** The same for all attempts. */
  readonly id: string;
  readonly config: TaskPushNotificationConfig;
  /** Of A2A, whose words the receiver expects. */
  readonly version: string;
  readonly response: StreamResponse;
  readonly state: TaskState;
  /** Of the turn that changed the state. */
  readonly parent: Context;
  /** Called once it has arrived or is given up; not when the service stopped in between. */
  readonly onSettled?: () => Promise<void>;
}

const maxPauseMs = 60_000;
const legacySerializer = new V03PushNotificationSerializer();

export class PushSender {
  readonly #options: PushSenderOptions;
  readonly #queues = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(options: PushSenderOptions = {}) {
    this.#options = options;
  }

  /** Sends in the background, after what was sent to the same configuration before. */
  send(notification: Notification): void {
    const { config } = notification;
    const name = `${config.taskId}/${config.id}`;
    const before = this.#queues.get(name) ?? Promise.resolve();
    const sending = before.then(() => this.#deliver(notification)).catch(() => undefined);
    this.#queues.set(name, sending);
    void sending.finally(() => {
      if (this.#queues.get(name) === sending) this.#queues.delete(name);
    });
  }

  /** Waits for what is under way; when `signal` fires no further attempt is made. */
  async close(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#stopped.abort();
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    await Promise.all(this.#queues.values());
  }

  async #deliver(notification: Notification): Promise<void> {
    const { attempts = 6, backOffMs = 1_000 } = this.#options;
    const body = bodyOf(notification);
    for (let attempt = 1; attempt <= attempts && !this.#stopped.signal.aborted; attempt++) {
      const isOver = await this.#attempt(notification, body, attempt);
      if (isOver || attempt === attempts) return notification.onSettled?.();
      const pauseMs = Math.min(maxPauseMs, backOffMs * 2 ** (attempt - 1));
      await this.#pause(pauseMs * (1 + Math.random() / 2));
    }
  }

  /** Whether nothing more is to be done: it arrived, or never will. */
  async #attempt(notification: Notification, body: string, attempt: number): Promise<boolean> {
    const { config, state, parent } = notification;
    const definition = {
      name: `${Operations.push} ${TaskState[state]}`,
      type: SpanTypes.push,
      kind: SpanKind.PRODUCER,
      parent,
      attributes: {
        [Attr.operationName]: Operations.push,
        [Attr.a2aTaskId]: config.taskId,
        [Attr.a2aTaskState]: TaskState[state],
        [Attr.pushAttempt]: attempt,
        [Attr.serverAddress]: URL.parse(config.url)?.hostname ?? "",
      },
    };
    try {
      await instrument(definition, (span) => this.#post(notification, body, span));
      return true;
    } catch (error) {
      return !WeftError.from(error).retryable;
    }
  }

  async #post(notification: Notification, body: string, span: WeftSpan): Promise<void> {
    const checked = await checkUrl(notification.config.url, this.#options.urls);
    const headers = { ...this.#headers(notification, body), ...injectCarrier(span.context) };
    const quiet = suppressTracing(span.context);
    const status = await runInContext(quiet, () => this.#call(checked, headers, body));
    span.setAttribute(Attr.httpResponseStatusCode, status);
    if (status >= 200 && status < 300) return;
    const isRetryable = status >= 500 || status === 408 || status === 425 || status === 429;
    throw new WeftError("unavailable", `The receiver answered ${status}.`, { retryable: isRetryable });
  }

  #headers({ id, config }: Notification, body: string): Record<string, string> {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const content = `${id}.${timestamp}.${body}`;
    const signatures: string[] = [];
    if (config.token)
      signatures.push(`v1,${createHmac("sha256", config.token).update(content).digest("base64")}`);
    const { signingKey } = this.#options;
    if (signingKey) signatures.push(`v1a,${sign(null, Buffer.from(content), signingKey).toString("base64")}`);
    const { authentication } = config;
    return {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      ...(signatures.length > 0 ? { "webhook-signature": signatures.join(" ") } : {}),
      ...(config.token ? { "x-a2a-notification-token": config.token } : {}),
      ...(authentication?.credentials
        ? { authorization: `${authentication.scheme} ${authentication.credentials}` }
        : {}),
    };
  }

  #call(checked: CheckedUrl, headers: Record<string, string>, body: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const request = checked.url.protocol === "https:" ? httpsRequest : httpRequest;
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? 10_000);
    const options = { method: "POST", headers, lookup: pinnedLookup(checked), agent: false as const, signal };
    const call = request(checked.url, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("error", (cause) => {
      reject(new WeftError("unavailable", `The receiver cannot be reached: ${cause.message}`, { cause }));
    });
    call.end(body);
    return promise;
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = this.#stopped;
    const timer = setTimeout(resolve, ms);
    timer.unref();
    const stop = (): void => resolve();
    signal.addEventListener("abort", stop, { once: true });
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** A `StreamResponse`; in A2A 0.3 (9.5) the bare event. */
function bodyOf({ response, version }: Notification): string {
  return version === legacyVersion
    ? legacySerializer.serialize(response).body
    : JSON.stringify(StreamResponse.toJSON(response));
}
