/*
 * AgentService: agents as A2A services, without a listener.
 *
 * Job: finds the agent and binding a request is for, asks who calls, and hands it on.
 * Owns: one engine and one card per agent, the WebSockets. Does not own: ports (serve's), or the process's signals.
 *
 * I1  Nobody reaches an engine who was not asked for a login, where one is required.
 * I2  A refusal has the shape of the binding it refuses.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { AgentCard, AGENT_CARD_PATH } from "@a2a-js/sdk";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { ROOT_CONTEXT, runInContext } from "@weft/tracing/internal";
import type { InboundPolicy } from "@weft/tracing/internal";
import type { Agent } from "../agent/agent.ts";
import { createAgentCard } from "../a2a/agent-card.ts";
import type { CardOptions } from "../a2a/agent-card.ts";
import type { Binding } from "../a2a/uris.ts";
import { authenticate } from "../auth/auth.ts";
import type { Auth, AuthRequest, Principal } from "../auth/auth.ts";
import { TaskEngine } from "../task/task-engine.ts";
import { WsEndpoint } from "../ws/ws-endpoint.ts";
import { createCallContext } from "./call-context.ts";
import type { Caller } from "./call-context.ts";
import { JsonRpcEndpoint, refuseJsonRpc } from "./json-rpc-endpoint.ts";
import { defaultLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { sendJson } from "./responses.ts";
import { refuseRest, RestEndpoint } from "./rest-endpoint.ts";
import { unknownAgent } from "./tenant-handler.ts";
import { TracedHandler } from "./traced-handler.ts";

export interface AgentServiceOptions {
  /** Which bindings are offered. Default jsonrpc, rest and ws. */
  readonly bindings?: readonly Binding[];
  /** Who may call. Default: everyone who can reach the listener. */
  readonly auth?: Auth;
  readonly card?: CardOptions;
  readonly limits?: Partial<Limits>;
  readonly trace?: { readonly inbound?: InboundPolicy };
}

interface Mount {
  readonly key: string;
  /** "" or "/<key>". */
  readonly base: string;
  readonly agent: Agent;
  readonly engine: TaskEngine;
  readonly handler: A2ARequestHandler;
  readonly jsonRpc: JsonRpcEndpoint;
  readonly rest: RestEndpoint;
  card: AgentCard;
}

export type Agents = Agent | Readonly<Record<string, Agent>>;

export class AgentService {
  readonly limits: Limits;
  readonly #mounts: readonly Mount[];
  readonly #options: AgentServiceOptions;
  readonly #bindings: readonly Binding[];
  readonly #ws: WsEndpoint;
  #isDraining = false;

  constructor(agents: Agents, options: AgentServiceOptions) {
    this.#options = options;
    this.#bindings = options.bindings ?? ["jsonrpc", "rest", "ws"];
    this.limits = { ...defaultLimits, ...options.limits };
    this.#ws = new WsEndpoint(this.limits);
    const entries = isAgent(agents) ? [["", agents] as const] : Object.entries(agents);
    if (entries.length === 0) throw new WeftError("invalid_argument", "There is no agent to serve.");
    this.#mounts = entries.map(([key, agent]) => this.#mount(key, agent));
  }

  /** The cards by key; a sole agent's key is "". */
  get cards(): ReadonlyMap<string, AgentCard> {
    return new Map(this.#mounts.map(({ key, card }) => [key, card]));
  }

  get handlers(): ReadonlyMap<string, A2ARequestHandler> {
    return new Map(this.#mounts.map(({ key, handler }) => [key, handler]));
  }

  /** Says where the service is reached; the cards name it. `url` has no slash at the end. */
  publish(url: string, grpcAddress?: string): void {
    const { auth, card } = this.#options;
    const authenticator = typeof auth === "object" ? auth : undefined;
    for (const mount of this.#mounts) {
      const address = {
        url: `${url}${mount.base}`,
        bindings: this.#bindings,
        grpcAddress,
        tenant: mount.key,
      };
      mount.card = createAgentCard(mount.agent, address, card, authenticator);
    }
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = parseUrl(request);
    if (pathname === "/healthz") return sendJson(response, 200, { status: "ok" });
    if (pathname === "/readyz") return this.#readiness(response);
    const mount = this.#find(pathname);
    if (!mount) return refuseRest(response, unknownAgent(pathname.split("/")[1] ?? "", this.#keys()));
    const path = pathname.slice(mount.base.length);
    if (request.method === "GET" && path === `/${AGENT_CARD_PATH}`) {
      return sendJson(response, 200, AgentCard.toJSON(mount.card));
    }
    const isJsonRpc = request.method === "POST" && (path === "" || path === "/");
    try {
      const caller = await this.#identify(requestOf(request));
      await this.#dispatch(request, response, { mount, path, query: searchParams, isJsonRpc, caller });
    } catch (error) {
      const headers = challengeFor(error);
      if (isJsonRpc) refuseJsonRpc(response, error, null, headers);
      else refuseRest(response, error, headers);
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const { pathname } = parseUrl(request);
    const mount = this.#find(pathname);
    const isWs = mount && pathname === `${mount.base}/ws` && this.#bindings.includes("ws");
    if (!isWs) return refuseUpgrade(socket, 404, "Not Found");
    if (this.#isDraining) return refuseUpgrade(socket, 503, "Service Unavailable");
    try {
      const caller = await this.#identify(requestOf(request));
      runInContext(ROOT_CONTEXT, () =>
        this.#ws.accept(request, socket, head, { handler: mount.handler, caller }),
      );
    } catch (error) {
      const isLogin = WeftError.from(error).code === "unauthenticated";
      refuseUpgrade(socket, isLogin ? 401 : 500, isLogin ? "Unauthorized" : "Internal Server Error");
    }
  }

  /** Who calls, when a login is required and given. */
  async identify(request: AuthRequest): Promise<Principal | null> {
    const { auth } = this.#options;
    if (!auth) return null;
    const principal = await authenticate(auth, request);
    if (!principal)
      throw new WeftError("unauthenticated", "The service needs a valid login; the card says which.");
    return principal;
  }

  /** Takes no new messages and waits for the running tasks, at most `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    this.#ws.goAway();
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    await Promise.all(this.#mounts.map(({ engine }) => engine.drain(controller.signal)));
    clearTimeout(timer);
  }

  /** Ends the WebSockets; answers being written have `graceMs`. */
  closeConnections(graceMs: number): void {
    this.#ws.close(graceMs);
  }

  #mount(key: string, agent: Agent): Mount {
    const mount = { key, base: key === "" ? "" : `/${encodeURIComponent(key)}`, agent } as Mount;
    const engine = new TaskEngine(agent, () => mount.card, this.limits);
    const handler = new TracedHandler(engine, this.#options.trace?.inbound);
    return Object.assign(mount, {
      engine,
      handler,
      jsonRpc: new JsonRpcEndpoint(handler, this.limits),
      rest: new RestEndpoint(handler, this.limits),
    });
  }

  #find(pathname: string): Mount | undefined {
    return this.#mounts.find(({ base }) => pathname === base || pathname.startsWith(`${base}/`));
  }

  #keys(): string[] {
    return this.#mounts.map(({ key }) => key);
  }

  #readiness(response: ServerResponse): void {
    sendJson(response, this.#isDraining ? 503 : 200, { status: this.#isDraining ? "draining" : "ready" });
  }

  async #identify(request: AuthRequest): Promise<Caller> {
    return { principal: await this.identify(request), remoteAddress: request.remoteAddress };
  }

  async #dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    target: { mount: Mount; path: string; query: URLSearchParams; isJsonRpc: boolean; caller: Caller },
  ): Promise<void> {
    const { mount, isJsonRpc, caller } = target;
    const binding = isJsonRpc ? "jsonrpc" : "rest";
    if (!this.#bindings.includes(binding)) {
      throw new WeftError("unimplemented", `This service does not offer ${binding}.`);
    }
    const controller = new AbortController();
    response.once("close", () => controller.abort());
    const context = createCallContext({
      binding,
      headers: request.headers,
      caller,
      signal: controller.signal,
    });
    if (isJsonRpc) await mount.jsonRpc.handle(request, response, context);
    else await mount.rest.handle(request, response, target, context);
  }
}

export function isAgent(value: Agents): value is Agent {
  return typeof (value as Agent).respond === "function" && typeof (value as Agent).name === "string";
}

function parseUrl(request: IncomingMessage): URL {
  const url = URL.parse(request.url ?? "/", "http://local");
  return url ?? new URL("http://local/");
}

function requestOf(request: IncomingMessage): AuthRequest {
  return { headers: request.headers, remoteAddress: request.socket.remoteAddress };
}

function challengeFor(error: unknown): Record<string, string> {
  return WeftError.from(error).code === "unauthenticated" ? { "www-authenticate": "Bearer" } : {};
}

function refuseUpgrade(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
