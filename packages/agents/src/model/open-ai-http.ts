import { WeftError } from "@weft/tracing";
import type { ModelCallOptions, ModelPrice, ModelSettings } from "./chat-model.ts";
import { postJson } from "./post-json.ts";
import { readServerSentEvents } from "./sse.ts";

/*
 * What both of OpenAI's interfaces share: options, requests, streams of events.
 */

export interface OpenAICompatibleOptions {
  /** The model's name at the host. */
  readonly model: string;
  /** Which of OpenAI's interfaces the host is asked by: Chat Completions (default) or Responses. */
  readonly api?: "chat" | "responses";
  /** Default `https://api.openai.com/v1`; `/chat/completions` or `/responses` is put behind it. */
  readonly baseURL?: string;
  /** Sent as a bearer token; a function is asked before each call. Default: none is sent. */
  readonly apiKey?: string | (() => string | Promise<string>) | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The provider's name in traces; default `openai`. */
  readonly provider?: string;
  /** Whether the host obeys a JSON schema as `response_format`; default false. */
  readonly supportsStructuredOutput?: boolean;
  /** USD per million tokens; default: by the model's name. */
  readonly price?: ModelPrice;
  /** Milliseconds until the first byte of an answer; default 60,000. */
  readonly timeoutMs?: number;
  /** Repeats after a refusal that may pass; default 2. */
  readonly maxRetries?: number;
  /** Default: Node's own. */
  readonly fetch?: typeof globalThis.fetch;
}

export async function post(
  url: string,
  body: unknown,
  options: OpenAICompatibleOptions,
  settings: ModelSettings | undefined,
  call: ModelCallOptions,
): Promise<Response> {
  const { apiKey, headers = {} } = options;
  const key = typeof apiKey === "function" ? await apiKey() : apiKey;
  return postJson(url, body, {
    headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
    ...call,
    timeoutMs: settings?.timeoutMs ?? options.timeoutMs ?? 60_000,
    maxRetries: settings?.maxRetries ?? options.maxRetries,
    fetch: options.fetch ?? globalThis.fetch,
  });
}

export async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new WeftError("model_failed", "The model host's answer is not JSON.", { cause });
  }
}

export async function* readChunks(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    yield* readServerSentEvents(body);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof WeftError) throw cause;
    throw new WeftError("unavailable", "The model's stream broke off before its end.", { cause });
  }
}
