/*
 * AgentService: agents as A2A services, without a listener.
 *
 * Job: finds the agent and binding a request is for, asks who calls, and hands it on.
 * Owns: one engine and one card per agent, the WebSockets. Does not own: ports (serve's), or the process's signals.
 *
 * I1  Nobody reaches an engine who was not asked for a login, where one is required.
 * I2  A refusal has the shape of the binding it refuses.
 * I3  A web page whose origin is not allowed reaches nothing but health and cards.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { AGENT_CARD_PATH } from "@a2a-js/sdk";
import type { AgentCard } from "@a2a-js/sdk";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { ROOT_CONTEXT, runInContext } from "@weft/tracing/internal";
import type { InboundPolicy } from "@weft/tracing/internal";
import type { Agent } from "../agent/agent.ts";
import type { CardOptions } from "../a2a/agent-card.ts";
import type { Binding } from "../a2a/uris.ts";
import { authenticate } from "../auth/auth.ts";
import type { Auth, AuthRequest, Principal } from "../auth/auth.ts";
import type { PushOptions } from "../push/push-configs.ts";
import type { TaskStore } from "../store/task-store.ts";
import { CallSignal } from "../task/call-signal.ts";
import { CallerTasks } from "../task/caller-tasks.ts";
import { TaskEngine } from "../task/task-engine.ts";
import type { RespondWith } from "../task/respond-with.ts";
import { WsEndpoint } from "../ws/ws-endpoint.ts";
import { createCallContext } from "./call-context.ts";
import type { Caller } from "./call-context.ts";
import { CallObserver } from "./call-observer.ts";
import { CallerLimits } from "./caller-limits.ts";
import { Cors } from "./cors.ts";
import type { CorsOptions } from "./cors.ts";
import { GuardedHandler } from "./guarded-handler.ts";
import { JsonRpcEndpoint, refuseJsonRpc } from "./json-rpc-endpoint.ts";
import { defaultLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import type { Logger } from "./logger.ts";
import { refuseUpgrade, upgradeStatusOf } from "./refuse-upgrade.ts";
import { parseUrl, requestOf } from "./request-target.ts";
import { sendJson } from "./responses.ts";
import { refuseRest, RestEndpoint } from "./rest-endpoint.ts";
import { ServiceCards } from "./service-cards.ts";
import type { CardKey } from "./service-cards.ts";
import { createTenantHandler, unknownAgent } from "./tenant-handler.ts";
import { TracedHandler } from "./traced-handler.ts";

export interface AgentServiceOptions {
  /** Which bindings are offered. Default jsonrpc, rest and ws. */
  readonly bindings?: readonly Binding[];
  /** Who may call. Default: everyone who can reach the listener. */
  readonly auth?: Auth;
  readonly card?: CardOptions;
  /** What the card says besides to callers who logged in. */
  readonly extendedCard?: CardOptions;
  /** Signs the cards. */
  readonly cardKey?: CardKey;
  /** Web pages that may call. Default: none. */
  readonly cors?: CorsOptions;
  /** One line for each call. Default: no log. */
  readonly logger?: Logger;
  readonly limits?: Partial<Limits>;
  readonly trace?: { readonly inbound?: InboundPolicy };
  /**
   * What a caller who waits for the answer gets: `task` (the default), or `message`, the agent's message itself, where the
   * turn ends with one. A function chooses for each message.
   */
  readonly respondWith?: RespondWith;
  /** Where tasks live. Default: memory, until the process ends. The service closes it when it has drained. */
  readonly store?: TaskStore;
  /** Push notifications: which URLs, how signed, how often. Default: public URLs only; `false`: none. */
  readonly push?: PushOptions;
  /**
   * Whether requests of A2A 0.3 are answered too. Its members then stand on the card beside those of 1.0, which readers
   * that refuse what they do not know stumble over. Default true.
   */
  readonly legacy?: boolean;
}

interface Mount {
  readonly key: string;
  /** "" or "/<key>". */
  readonly base: string;
  readonly engine: TaskEngine;
  readonly handler: A2ARequestHandler;
  readonly jsonRpc: JsonRpcEndpoint;
  readonly rest: RestEndpoint;
  readonly cards: ServiceCards;
}

export type Agents = Agent | Readonly<Record<string, Agent>>;

/** What stands where a service listens besides its agents' own paths. */
const servicePaths = new Set(["ws", "healthz", "readyz"]);

export class AgentService {
  readonly limits: Limits;
  readonly #mounts: readonly Mount[];
  readonly #options: AgentServiceOptions;
  readonly #bindings: readonly Binding[];
  readonly #ws: WsEndpoint;
  readonly #cors: Cors;
  readonly #callers: CallerLimits;
  readonly #callerTasks: CallerTasks;
  readonly #observer: CallObserver;
  #isDraining = false;

  constructor(agents: Agents, options: AgentServiceOptions) {
    this.#options = options;
    this.#bindings = options.bindings ?? ["jsonrpc", "rest", "ws"];
    this.limits = { ...defaultLimits, ...options.limits };
    this.#ws = new WsEndpoint(this.limits);
    this.#cors = new Cors(options.cors);
    this.#callers = new CallerLimits(this.limits);
    this.#callerTasks = new CallerTasks(this.limits.tasksPerCaller);
    this.#observer = new CallObserver(options.logger);
    const entries = isAgent(agents) ? [["", agents] as const] : Object.entries(agents);
    if (entries.length === 0) throw new WeftError("invalid_argument", "There is no agent to serve.");
    const taken = entries.find(([key]) => servicePaths.has(key));
    if (taken) throw new WeftError("invalid_argument", `"${taken[0]}" is a path of the service's own.`);
    this.#mounts = entries.map(([key, agent]) => this.#mount(key, agent));
  }

  /** The cards by key; a sole agent's key is "". */
  get cards(): ReadonlyMap<string, AgentCard> {
    return new Map(this.#mounts.map(({ key, cards }) => [key, cards.card]));
  }

  /** All agents, chosen by a call's tenant. */
  get tenantHandler(): A2ARequestHandler {
    const handlers = new Map(this.#mounts.map(({ key, handler }) => [key, handler]));
    return createTenantHandler(handlers, () => this.#mounts[0]!.cards.card);
  }

  /** Says where the service is reached; the cards name it. `url` has no slash at the end. */
  publish(url: string, grpcAddress?: string): void {
    for (const { key, base, cards, engine } of this.#mounts) {
      cards.publish({
        url: `${url}${base}`,
        bindings: this.#bindings,
        grpcAddress,
        tenant: key,
        legacy: this.#options.legacy ?? true,
        answersWithMessages: this.#options.respondWith === "message",
        ...(base === "" ? {} : { rootUrl: url }),
      });
      engine.start();
    }
  }

  /** Resolves when the cards are signed; rejects when their key does not do. */
  async ready(): Promise<void> {
    await Promise.all(this.#mounts.map(({ cards }) => cards.ready()));
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = parseUrl(request);
    if (pathname === "/healthz") return sendJson(response, 200, { status: "ok" });
    if (pathname === "/readyz") return this.#readiness(request, response);
    const mount = this.#find(pathname);
    if (!mount) return refuseRest(response, unknownAgent(pathname.split("/")[1] ?? "", this.#keys()));
    const path = pathname.slice(mount.base.length);
    const isJsonRpc = request.method === "POST" && (path === "" || path === "/");
    this.#cors.allow(request, response);
    try {
      if (request.method === "GET" && path === `/${AGENT_CARD_PATH}`) {
        return await mount.cards.send(request, response);
      }
      this.#cors.check(request);
      if (request.method === "OPTIONS" && request.headers.origin !== undefined) {
        return this.#cors.preflight(response);
      }
      const caller = this.#identify(requestOf(request));
      await this.#dispatch(request, response, {
        mount,
        path,
        query: searchParams,
        isJsonRpc,
        caller: caller instanceof Promise ? await caller : caller,
      });
    } catch (error) {
      const headers = this.#challengeFor(error);
      if (isJsonRpc) refuseJsonRpc(response, error, null, headers);
      else refuseRest(response, error, headers);
      this.#logRefusal(request, error);
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const { pathname } = parseUrl(request);
    const handler = this.#findWs(pathname);
    if (!handler) return refuseUpgrade(socket, 404, "Not Found");
    if (this.#isDraining) return refuseUpgrade(socket, 503, "Service Unavailable");
    try {
      this.#cors.check(request);
      const caller = await this.#identify(requestOf(request));
      runInContext(ROOT_CONTEXT, () => this.#ws.accept(request, socket, head, { handler, caller }));
    } catch (error) {
      this.#logRefusal(request, error);
      const [status, text] = upgradeStatusOf(error);
      refuseUpgrade(socket, status, text, this.#challengeFor(error));
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
    await this.#options.store?.[Symbol.asyncDispose]();
  }

  /** Ends the WebSockets; answers being written have `graceMs`. */
  closeConnections(graceMs: number): void {
    this.#ws.close(graceMs);
  }

  #mount(key: string, agent: Agent): Mount {
    const { limits } = this;
    const { auth, card, extendedCard, cardKey, push, store, trace, respondWith } = this.#options;
    const authenticator = typeof auth === "object" ? auth : undefined;
    const cards = new ServiceCards({
      agent,
      card,
      extendedCard,
      cardKey,
      auth: authenticator,
      pushNotifications: push !== false,
    });
    const engine = new TaskEngine(agent, () => cards.card, {
      limits,
      scope: key,
      callers: this.#callerTasks,
      ...(store ? { store } : {}),
      ...(push === undefined ? {} : { push }),
      ...(respondWith === undefined ? {} : { respondWith }),
    });
    const guarded = new GuardedHandler({
      inner: engine,
      limits,
      callers: this.#callers,
      inputModes: card?.inputModes,
      extendedCard: () => cards.extended(),
    });
    const handler = new TracedHandler(guarded, trace?.inbound, this.#observer);
    return {
      key,
      base: key === "" ? "" : `/${encodeURIComponent(key)}`,
      engine,
      handler,
      jsonRpc: new JsonRpcEndpoint(handler, limits),
      rest: new RestEndpoint(handler, limits),
      cards,
    };
  }

  #find(pathname: string): Mount | undefined {
    return this.#mounts.find(({ base }) => pathname === base || pathname.startsWith(`${base}/`));
  }

  /** An agent's own WebSocket, or the one of all, where the tenant tells. */
  #findWs(pathname: string): A2ARequestHandler | undefined {
    if (!this.#bindings.includes("ws")) return undefined;
    const own = this.#mounts.find(({ base }) => pathname === `${base}/ws`);
    if (own) return own.handler;
    return pathname === "/ws" ? this.tenantHandler : undefined;
  }

  #keys(): string[] {
    return this.#mounts.map(({ key }) => key);
  }

  /** Whether it takes tasks is everybody's to ask; what it has in hand is not. */
  async #readiness(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const status = this.#isDraining ? "draining" : "ready";
    const code = this.#isDraining ? 503 : 200;
    const isKnown = await this.identify(requestOf(request)).then(
      () => true,
      () => false,
    );
    if (!isKnown) return sendJson(response, code, { status });
    const running = this.#mounts.reduce((sum, { engine }) => sum + engine.runningCount, 0);
    sendJson(response, code, { status, agents: this.#mounts.length, runningTasks: running });
  }

  #identify(request: AuthRequest): Caller | Promise<Caller> {
    const { remoteAddress } = request;
    if (!this.#options.auth) return { principal: null, remoteAddress };
    return this.identify(request).then((principal) => ({ principal, remoteAddress }));
  }

  #dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    target: { mount: Mount; path: string; query: URLSearchParams; isJsonRpc: boolean; caller: Caller },
  ): Promise<void> {
    const { mount, isJsonRpc, caller } = target;
    const binding = isJsonRpc ? "jsonrpc" : "rest";
    if (!this.#bindings.includes(binding)) {
      throw new WeftError("unimplemented", `This service does not offer ${binding}.`);
    }
    const signal = new CallSignal();
    // Every answer ends with a close; only one before its end means that the caller left.
    response.once("close", () => {
      if (!response.writableFinished) signal.abort();
    });
    const context = createCallContext({ binding, headers: request.headers, caller, signal });
    return isJsonRpc
      ? mount.jsonRpc.handle(request, response, context)
      : mount.rest.handle(request, response, target, context);
  }

  #challengeFor(error: unknown): Record<string, string> {
    const { code } = WeftError.from(error);
    if (code !== "unauthenticated" && code !== "permission_denied") return {};
    const { auth } = this.#options;
    const challenge = (typeof auth === "object" ? auth.challenge : undefined) ?? "Bearer";
    return code === "unauthenticated" ? { "www-authenticate": challenge } : {};
  }

  /** A refusal before there is a call: no span tells of it. */
  #logRefusal(request: IncomingMessage, error: unknown): void {
    const { code, message } = WeftError.from(error);
    const fields = { code, remoteAddress: request.socket.remoteAddress };
    this.#options.logger?.warn(fields, code === "internal" ? "request failed" : message);
  }
}

export function isAgent(value: Agents): value is Agent {
  return typeof (value as Agent).respond === "function" && typeof (value as Agent).name === "string";
}
