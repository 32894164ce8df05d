import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WeftError } from "@weft/tracing";
import { AgentService } from "./agent-service.ts";
import type { Agents, AgentServiceOptions } from "./agent-service.ts";

export interface AgentHandlerOptions extends AgentServiceOptions {
  /** Where others reach the handler, mount path included. Default: what the first request's Host header says. */
  readonly publicUrl?: string;
}

/** Agents as a request handler, for Express, node:http or whatever speaks `(request, response)`. */
export interface AgentHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /** For the server's `upgrade` event: the WebSocket binding. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** No new tasks; running ones finish, at most `timeoutMs` (25,000). */
  drain(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/**
 * Agents behind a server of yours. Who listens where is your server's concern, and so is `auth`, if it is left out here.
 *
 * @throws WeftError `invalid_argument` for the gRPC binding, which needs a listener of its own: `serve` has one
 */
export function agentHandler(agents: Agents, options: AgentHandlerOptions = {}): AgentHandler {
  if (options.bindings?.includes("grpc")) {
    throw new WeftError("invalid_argument", "gRPC cannot be mounted in another server; use serve().");
  }
  const service = new AgentService(agents, options);
  let isPublished = false;
  const publish = (request: IncomingMessage): void => {
    if (isPublished) return;
    isPublished = true;
    service.publish((options.publicUrl ?? mountUrl(request)).replace(/\/+$/, ""));
  };
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    publish(request);
    void service.handle(request, response);
  };
  return Object.assign(handler, {
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      publish(request);
      void service.upgrade(request, socket, head);
    },
    async drain({ timeoutMs = 25_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
      await service.drain(timeoutMs);
      service.closeConnections(1_000);
    },
  });
}

/** Express keeps the path it stripped in `baseUrl`. */
function mountUrl(request: IncomingMessage & { baseUrl?: string }): string {
  const isTls = "encrypted" in request.socket;
  return `${isTls ? "https" : "http"}://${request.headers.host ?? "localhost"}${request.baseUrl ?? ""}`;
}
