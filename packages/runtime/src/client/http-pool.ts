import type { LookupFunction } from "node:net";
import { Agent, request } from "undici";
import type { Dispatcher } from "undici";
import { tlsOptions } from "./client-tls.ts";
import type { ClientTls } from "./client-tls.ts";
import type { ClientTimeouts } from "./timeouts.ts";

/**
 * A client's HTTP connections. `fetch`, for the card and the SDK's transports of A2A 0.3, is undici's pooled `request`
 * with what those read of a Response, no more. Idle connections do not hold the process.
 */
export class HttpPool implements AsyncDisposable {
  readonly #agent: Agent;

  /** `lookup` finds the hosts' addresses. */
  constructor(timeouts: ClientTimeouts, tls?: ClientTls, lookup?: LookupFunction) {
    this.#agent = new Agent({
      connect: { timeout: timeouts.connectMs, ...(lookup ? { lookup } : {}), ...tlsOptions(tls) },
      headersTimeout: timeouts.unaryMs,
      bodyTimeout: timeouts.streamIdleMs,
    });
  }

  get dispatcher(): Dispatcher {
    return this.#agent;
  }

  readonly fetch = (async (url: string, init: RequestInit = {}): Promise<Response> => {
    const answer = await request(url, {
      dispatcher: this.#agent,
      method: init.method ?? "GET",
      headers: init.headers as Record<string, string>,
      body: (init.body as string | undefined) ?? null,
      signal: init.signal ?? null,
    });
    return toResponse(answer);
  }) as typeof fetch;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

function toResponse(answer: Dispatcher.ResponseData): Response {
  const { statusCode, headers, body } = answer;
  const header = (name: string): string | null => {
    const value = headers[name.toLowerCase()];
    return value === undefined ? null : String(value);
  };
  const response = {
    ok: statusCode >= 200 && statusCode < 300,
    status: statusCode,
    statusText: "",
    headers: {
      get: header,
      forEach(visit: (value: string, key: string) => void) {
        for (const [name, value] of Object.entries(headers))
          if (value !== undefined) visit(String(value), name);
      },
    },
    text: () => body.text(),
    json: () => body.json(),
    get body(): unknown {
      return body.body;
    },
  };
  return response as unknown as Response;
}
