import { A2A_VERSION_HEADER } from "@a2a-js/sdk";
import type {
  AgentCard,
  Message,
  SendMessageConfiguration,
  SendMessageRequest,
  SubscribeToTaskRequest,
  Task,
} from "@a2a-js/sdk";
import { Client } from "@a2a-js/sdk/client";
import type { RequestOptions, Transport } from "@a2a-js/sdk/client";
import { createMessage, messageText } from "../agent/message.ts";
import { LazyStream } from "../a2a/pull-stream.ts";
import { createSendRequest } from "../a2a/send-request.ts";
import type { Binding } from "../a2a/uris.ts";
import type { ResponseStream } from "./intercept-transport.ts";
import { ReplyReader } from "./reply-reader.ts";

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** Goes on with an earlier conversation. */
  readonly contextId?: string;
}

export interface RemoteClientParts {
  readonly transport: Transport;
  readonly card: AgentCard;
  readonly binding: Binding;
  readonly close: () => Promise<void>;
}

/** What the SDK's client says when nothing is configured. */
const plainConfiguration: SendMessageConfiguration = Object.freeze({
  acceptedOutputModes: [],
  taskPushNotificationConfig: undefined,
  historyLength: undefined,
  returnImmediately: false,
});

/**
 * A connected agent: the SDK client's methods, traced, with deadlines and errors of one class. The SDK's client has nothing to
 * add to a message or stream but its interceptors, of which there are none, and the spelling of service parameters: without
 * those they go straight to the transport, whose streams can be left while they wait.
 */
export class RemoteClient extends Client implements AsyncDisposable {
  readonly card: AgentCard;
  readonly binding: Binding;
  readonly #transport: Transport;
  readonly #version: Readonly<Record<string, string>>;
  readonly #close: () => Promise<void>;

  constructor({ transport, card, binding, close }: RemoteClientParts) {
    super(transport, card);
    this.card = card;
    this.binding = binding;
    this.#transport = transport;
    this.#version = { [A2A_VERSION_HEADER]: transport.protocolVersion };
    this.#close = close;
  }

  override sendMessage(params: SendMessageRequest, options?: RequestOptions): Promise<Message | Task> {
    if (options?.serviceParameters) return super.sendMessage(params, options);
    return this.#transport.sendMessage(configured(params), this.#versioned(options));
  }

  override sendMessageStream(params: SendMessageRequest, options?: RequestOptions): ResponseStream {
    if (!this.card.capabilities?.streaming || options?.serviceParameters)
      return super.sendMessageStream(params, options);
    return new LazyStream(() =>
      this.#transport.sendMessageStream(configured(params), this.#versioned(options)),
    );
  }

  override resubscribeTask(params: SubscribeToTaskRequest, options?: RequestOptions): ResponseStream {
    if (options?.serviceParameters) return super.resubscribeTask(params, options);
    return new LazyStream(() => this.#transport.resubscribeTask(params, this.#versioned(options)));
  }

  /**
   * Sends a text and returns the text of the answer.
   *
   * @throws WeftError what the far side failed with; `failed_precondition` when it asks for input instead
   */
  async ask(text: string, options: AskOptions = {}): Promise<string> {
    const { signal, contextId = "" } = options;
    const message = createMessage(text);
    const request = createSendRequest([message], { contextId, isWeft: false });
    const reader = new ReplyReader(this.card.name);
    const result = await this.sendMessage(request, signal ? { signal } : {});
    const isMessage = "messageId" in result;
    reader.accept({
      payload: isMessage ? { $case: "message", value: result } : { $case: "task", value: result },
    });
    const answer = reader.finish();
    return answer ? messageText(answer) : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #versioned(options: RequestOptions | undefined): RequestOptions {
    return { ...options, serviceParameters: this.#version };
  }
}

function configured(params: SendMessageRequest): SendMessageRequest {
  const given = params.configuration;
  return { ...params, configuration: given ? { ...plainConfiguration, ...given } : plainConfiguration };
}
