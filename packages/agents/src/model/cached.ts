import { createHash } from "node:crypto";
import { WeftError } from "@weft/tracing";
import type { ChatModel, ModelPart, ModelRequest, ModelResponse } from "./chat-model.ts";
import type { ModelCache } from "./model-cache.ts";
import type { ModelInput } from "./model-of.ts";
import { modelOf } from "./model-of.ts";
import { openSqliteCache } from "./sqlite-cache.ts";

export interface CachedOptions {
  /** Default `memory`: of this process, for this model. `{ path }`: a SQLite file. */
  readonly store?: "memory" | { readonly path: string } | ModelCache;
  /** Answers that are kept in memory; default 1,000. */
  readonly maxEntries?: number;
  /** Anything that tells two uses of one model apart. */
  readonly scope?: string;
}

/**
 * Answers a request that was answered before from memory. The key is the full request: model, messages (their ids
 * aside), system text, tools, format and settings. What came from the cache used no tokens and cost nothing.
 */
export function cached(model: ModelInput, options: CachedOptions = {}): ChatModel {
  const inner = modelOf(model, "cached: model");
  const cache = openCache(options);
  const { scope = "" } = options;
  const find = async (key: string): Promise<ModelResponse | undefined> => {
    const text = await cache.get(key);
    return text === undefined ? undefined : fromCache(JSON.parse(text) as ModelResponse);
  };
  const keep = async (key: string, answer: ModelResponse): Promise<void> => {
    const { answeredBy: _, ...response } = answer;
    // An answer that was cut, filtered or empty would be so for ever.
    if (response.finishReason === "stop" || response.finishReason === "tool_calls") {
      await cache.set(key, JSON.stringify(response));
    }
  };
  return {
    provider: inner.provider,
    modelId: inner.modelId,
    ...(inner.server ? { server: inner.server } : {}),
    supportsStructuredOutput: inner.supportsStructuredOutput ?? false,
    isComposite: inner.isComposite ?? false,
    price: inner.price,
    async generate(request, call) {
      const key = keyOf(inner, request, scope);
      const before = await find(key);
      if (before) return before;
      const response = await inner.generate(request, call);
      await keep(key, response);
      return response;
    },
    async *stream(request, call): AsyncGenerator<ModelPart> {
      const key = keyOf(inner, request, scope);
      const before = await find(key);
      if (before) {
        if (before.reasoning) yield { type: "reasoning-delta", text: before.reasoning };
        if (before.text) yield { type: "text-delta", text: before.text };
        yield { type: "finish", response: before };
        return;
      }
      for await (const part of inner.stream(request, call)) {
        if (part.type === "finish") await keep(key, part.response);
        yield part;
      }
    },
  };
}

function fromCache(response: ModelResponse): ModelResponse {
  return { ...response, usage: { inputTokens: 0, outputTokens: 0 }, cacheHit: true };
}

function openCache({ store = "memory", maxEntries = 1_000 }: CachedOptions): ModelCache {
  if (store === "memory") return new MemoryCache(maxEntries);
  if ("path" in store) return openSqliteCache(store.path);
  if (typeof store.get === "function" && typeof store.set === "function") return store;
  throw new WeftError(
    "invalid_argument",
    'cached: store must be "memory", { path } or an object with get and set.',
  );
}

/** The longest unused goes first. */
class MemoryCache implements ModelCache {
  readonly #entries = new Map<string, string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): string | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: string): void {
    this.#entries.set(key, value);
    if (this.#entries.size > this.#max) this.#entries.delete(this.#entries.keys().next().value!);
  }
}

/** A message's id says which message it is, and nothing of what a model is sent. */
function keyOf({ provider, modelId }: ChatModel, request: ModelRequest, scope: string): string {
  const messages = request.messages.map(({ id: _id, metadata: _metadata, ...message }) => message);
  const text = JSON.stringify([scope, provider, modelId, { ...request, messages }], sorted);
  return createHash("sha256").update(text).digest("hex");
}

/** Keys in one order; bytes as text. */
function sorted(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
