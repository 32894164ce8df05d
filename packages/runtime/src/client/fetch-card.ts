import { AGENT_CARD_PATH, AgentCard } from "@a2a-js/sdk";
import { parseLegacyAgentCard } from "@a2a-js/sdk/compat/v0_3/client";
import { WeftError } from "@weft/tracing";
import { activeContext, runInContext, suppressTracing } from "@weft/tracing/internal";
import { isRecord } from "../agent/message.ts";
import { cachedCard, isFresh, keepCard } from "./card-cache.ts";
import { toWeftError } from "./to-weft-error.ts";

const maxCardBytes = 1_048_576;

export interface FetchCardOptions {
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Whose login it is: a card that one was shown is not another's. */
  readonly login?: object | undefined;
}

/**
 * Reads the card of the agent at `url`, which is the agent's URL or that of the card itself (`….json`).
 *
 * @throws WeftError `unavailable` when nobody answers, `deadline_exceeded`, `not_found` when there is no card,
 *   `invalid_card` when what is there is not a card of A2A 1.0
 */
export async function fetchCard(url: string, options: FetchCardOptions): Promise<AgentCard> {
  const cardUrl = cardUrlOf(url);
  const known = cachedCard(options.login, cardUrl);
  if (known && isFresh(known)) return parseCard(parseJson(known.text, cardUrl), cardUrl);
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  try {
    const text = await runInContext(suppressTracing(activeContext()), () => read(cardUrl, options, signal));
    return parseCard(parseJson(text, cardUrl), cardUrl);
  } catch (error) {
    if (deadline.aborted) {
      throw new WeftError(
        "deadline_exceeded",
        `No agent card from ${cardUrl} within ${options.timeoutMs} ms.`,
      );
    }
    throw toWeftError(error, `Cannot read ${cardUrl}`);
  }
}

async function read(cardUrl: string, options: FetchCardOptions, signal: AbortSignal): Promise<string> {
  const { login } = options;
  const known = cachedCard(login, cardUrl);
  const condition = known?.etag === undefined ? {} : { "if-none-match": known.etag };
  const headers = { accept: "application/json", ...condition, ...options.headers };
  const response = await options.fetch(cardUrl, { headers, signal });
  const header = (name: string): string | null => response.headers.get(name);
  if (response.status === 304 && known) {
    await response.text();
    keepCard(
      login,
      cardUrl,
      known.text,
      (name) => header(name) ?? (name === "etag" ? (known.etag ?? null) : null),
    );
    return known.text;
  }
  const length = Number(response.headers.get("content-length") ?? 0);
  const text = length > maxCardBytes ? "" : await response.text();
  if (length > maxCardBytes || text.length > maxCardBytes) {
    throw new WeftError("invalid_card", `The agent card at ${cardUrl} is larger than ${maxCardBytes} bytes.`);
  }
  if (response.ok) {
    keepCard(login, cardUrl, text, header);
    return text;
  }
  const { status } = response;
  if (status === 401) throw new WeftError("unauthenticated", `${cardUrl} asks for a login (HTTP 401).`);
  if (status === 403)
    throw new WeftError("permission_denied", `${cardUrl} is not for this login (HTTP 403).`);
  if (status === 404) throw new WeftError("not_found", `There is no agent card at ${cardUrl} (HTTP 404).`);
  throw new WeftError(status >= 500 ? "unavailable" : "invalid_card", `${cardUrl} answered HTTP ${status}.`);
}

/** Where the card of the agent at `url` stands. */
export function cardUrlOf(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new WeftError("invalid_argument", `"${url}" is not an http(s) URL of an agent.`);
  }
  if (parsed.pathname.endsWith(".json")) return parsed.href;
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}/${AGENT_CARD_PATH}`;
}

function parseJson(text: string, cardUrl: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new WeftError("invalid_card", `What stands at ${cardUrl} is not JSON.`, { cause: error });
  }
}

/**
 * Checks a card's shape.
 *
 * @throws WeftError `invalid_card` naming what is wrong
 */
export function parseCard(value: unknown, where: string): AgentCard {
  const wrong = (what: string): WeftError =>
    new WeftError("invalid_card", `The agent card of ${where} ${what}.`);
  if (!isRecord(value)) throw wrong("is not an object");
  if (typeof value["name"] !== "string" || value["name"] === "") throw wrong("has no name");
  const interfaces = value["supportedInterfaces"];
  if (!Array.isArray(interfaces) || interfaces.length === 0) {
    if ("url" in value) return parseLegacy(value, where);
    throw wrong("names no interface");
  }
  if (!interfaces.every((known) => isRecord(known) && typeof known["url"] === "string")) {
    throw wrong("has an interface without a URL");
  }
  try {
    return AgentCard.fromJSON(value);
  } catch (error) {
    throw new WeftError("invalid_card", `The agent card of ${where} cannot be read.`, { cause: error });
  }
}

function parseLegacy(value: unknown, where: string): AgentCard {
  try {
    return parseLegacyAgentCard(value);
  } catch (error) {
    throw new WeftError("invalid_card", `The agent card of ${where} is of A2A 0.3 and cannot be read.`, {
      cause: error,
    });
  }
}
