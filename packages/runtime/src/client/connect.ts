import { HTTP_EXTENSION_HEADER } from "@a2a-js/sdk";
import type { AgentCard } from "@a2a-js/sdk";
import { cardHasExtension } from "../a2a/agent-card.ts";
import { eventsExtensionUri, hopExtensionUri } from "../a2a/uris.ts";
import type { Binding } from "../a2a/uris.ts";
import type { Authenticator } from "../auth/auth.ts";
import type { UrlGuardOptions } from "../edge/url-guard.ts";
import type { ClientTls } from "./client-tls.ts";
import { CardGuard } from "./card-guard.ts";
import { createTransport } from "./create-transport.ts";
import { cardUrlOf, fetchCard, parseCard } from "./fetch-card.ts";
import { HttpPool } from "./http-pool.ts";
import { RemoteClient } from "./remote-client.ts";
import { selectInterface } from "./select-interface.ts";
import { defaultTimeouts } from "./timeouts.ts";
import type { ClientTimeouts } from "./timeouts.ts";

export interface ConnectOptions {
  /** Default: the best both sides speak (ws between Weft services, then jsonrpc, rest, grpc). */
  readonly binding?: Binding;
  readonly auth?: Authenticator;
  /** Authorities to trust and a certificate to show. Default: those of `auth`, else the system's. */
  readonly tls?: ClientTls;
  /** Bytes that one answer, or one event of a stream, may have. Default 64 MiB. */
  readonly answerBytes?: number;
  readonly timeouts?: Partial<ClientTimeouts>;
  /**
   * Which private addresses a card that was read from the network may point to. Default: none, but its own host, and
   * what lies no further inside than that (a card of loopback may point to loopback).
   */
  readonly urls?: UrlGuardOptions;
  readonly signal?: AbortSignal;
}

const defaultAnswerBytes = 64 * 1_048_576;

/**
 * Connects to an agent by its URL, its card's URL, or its card.
 *
 * @throws WeftError `unavailable`, `deadline_exceeded`, `not_found` or `invalid_card` when there is no usable card;
 *   `missing_dependency` for gRPC without its packages
 */
export async function connect(
  target: string | AgentCard,
  options: ConnectOptions = {},
): Promise<RemoteClient> {
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const tls = options.tls ?? options.auth?.tls;
  const guard = typeof target === "string" ? new CardGuard(cardUrlOf(target), options.urls) : undefined;
  const pool = new HttpPool(timeouts, tls, guard?.lookup);
  const { auth } = options;
  const headers = auth && (async () => auth.headers());
  try {
    const card = await readCard(target, options, { pool, timeouts, headers });
    const selected = selectInterface(card, options.binding);
    const address = await guard?.check(selected.endpoint.url);
    const opened = await createTransport({
      card,
      selected,
      ...(guard ? { guard } : {}),
      ...(address === undefined ? {} : { address }),
      pool,
      timeouts,
      headers,
      parameters: extensionsOf(card),
      login: options.auth,
      tls,
      answerBytes: options.answerBytes ?? defaultAnswerBytes,
    });
    const close = async (): Promise<void> => {
      await opened.close();
      await pool[Symbol.asyncDispose]();
    };
    return new RemoteClient({ transport: opened.transport, card, binding: selected.binding, close });
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

async function readCard(
  target: string | AgentCard,
  options: ConnectOptions,
  parts: {
    pool: HttpPool;
    timeouts: ClientTimeouts;
    headers: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  },
): Promise<AgentCard> {
  if (typeof target !== "string") return parseCard(target, "the given object");
  const { fetch } = parts.pool;
  const { cardMs: timeoutMs } = parts.timeouts;
  return fetchCard(target, {
    fetch,
    timeoutMs,
    headers: (await parts.headers?.()) ?? {},
    signal: options.signal,
    login: options.auth,
  });
}

/** Asks for Weft's extensions where the card declares them. */
function extensionsOf(card: AgentCard): Record<string, string> {
  const wanted = [hopExtensionUri, eventsExtensionUri].filter((uri) => cardHasExtension(card, uri));
  return wanted.length === 0 ? {} : { [HTTP_EXTENSION_HEADER]: wanted.join(",") };
}
