import type { AgentCard } from "@a2a-js/sdk";
import { flushTraces, WeftError } from "@weft/tracing";
import { onStopSignal } from "@weft/tracing/internal";
import { AgentService } from "./agent-service.ts";
import type { Agents, AgentServiceOptions } from "./agent-service.ts";
import { isLoopback } from "./call-context.ts";
import { GrpcEndpoint } from "./grpc-endpoint.ts";
import { importGrpc } from "./import-grpc.ts";
import { Listener } from "./listener.ts";
import { createTenantHandler } from "./tenant-handler.ts";

export interface ServeOptions extends AgentServiceOptions {
  /** Default 0: any free port; {@link Service.port} tells which. */
  readonly port?: number;
  /** Default 127.0.0.1. Any other than loopback needs `auth` or `insecure: true`. */
  readonly host?: string;
  /** Where others reach the service, when not at host and port: a proxy's address. */
  readonly publicUrl?: string;
  /** A port of its own for gRPC. Default: the same port as everything else. */
  readonly grpcPort?: number;
  /** Allows a listener that is not loopback without `auth`. */
  readonly insecure?: boolean;
  /** Whether SIGTERM and SIGINT drain. Default true. */
  readonly signals?: boolean;
}

export interface Service extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number | undefined;
  /** The sole agent's card, or the first one's. */
  readonly card: AgentCard;
  /** By the record's keys; a sole agent's by its name. */
  readonly cards: Readonly<Record<string, AgentCard>>;
  /** No new tasks; running ones finish, at most `timeoutMs` (25,000); then the ports close and traces are sent. */
  drain(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/**
 * Serves one agent, or a record of agents each under `/<key>`, over A2A 1.0.
 *
 * @throws WeftError `invalid_argument` for a listener open to others without `auth` or `insecure`, `unavailable` for
 *   a port that is taken, `missing_dependency` for gRPC without its packages
 */
export async function serve(agents: Agents, options: ServeOptions = {}): Promise<Service> {
  const host = options.host ?? "127.0.0.1";
  checkExposure(host, options);
  const service = new AgentService(agents, options);
  const hasGrpc = options.bindings?.includes("grpc") ?? false;
  const grpc = hasGrpc ? await createGrpc(service) : undefined;
  const isShared = grpc !== undefined && options.grpcPort === undefined;
  const listener = new Listener(service, isShared ? grpc : undefined);
  const port = await listener.listen(host, options.port ?? 0);
  const grpcPort = isShared ? port : await listenGrpc(grpc, listener, host, options.grpcPort);
  const url = (options.publicUrl ?? `http://${hostText(host)}:${port}`).replace(/\/+$/, "");
  service.publish(url, grpcPort === undefined ? undefined : `${grpcHost(url, options)}:${grpcPort}`);
  return new RunningService({
    service,
    listener,
    grpc,
    url,
    port,
    grpcPort,
    signals: options.signals ?? true,
  });
}

interface Parts {
  readonly service: AgentService;
  readonly listener: Listener;
  readonly grpc: GrpcEndpoint | undefined;
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number | undefined;
  readonly signals: boolean;
}

const closeGraceMs = 1_000;

class RunningService implements Service {
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number | undefined;
  readonly #parts: Parts;
  readonly #forgetSignals: () => void;
  #drained: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.url = parts.url;
    this.port = parts.port;
    this.grpcPort = parts.grpcPort;
    this.#parts = parts;
    this.#forgetSignals = parts.signals ? onStopSignal("drain", () => this.drain()) : () => undefined;
  }

  get card(): AgentCard {
    return Object.values(this.cards)[0]!;
  }

  get cards(): Readonly<Record<string, AgentCard>> {
    return Object.fromEntries([...this.#parts.service.cards].map(([key, card]) => [key || card.name, card]));
  }

  drain(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#drained ??= this.#drain(options.timeoutMs ?? 25_000);
    return this.#drained;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  async #drain(timeoutMs: number): Promise<void> {
    const { service, listener, grpc } = this.#parts;
    this.#forgetSignals();
    await service.drain(timeoutMs);
    listener.stopAccepting();
    service.closeConnections(closeGraceMs);
    await Promise.all([grpc?.close(closeGraceMs), listener.close(closeGraceMs)]);
    await flushTraces();
  }
}

async function listenGrpc(
  grpc: GrpcEndpoint | undefined,
  listener: Listener,
  host: string,
  port: number | undefined,
): Promise<number | undefined> {
  try {
    return await grpc?.listen(host, port ?? 0);
  } catch (error) {
    listener.stopAccepting();
    await listener.close(0);
    throw error;
  }
}

async function createGrpc(service: AgentService): Promise<GrpcEndpoint> {
  const handler = createTenantHandler(service.handlers, () => service.cards.values().next().value!);
  return new GrpcEndpoint({
    modules: await importGrpc(),
    handler,
    limits: service.limits,
    authenticate: (request) => service.identify(request),
  });
}

function checkExposure(host: string, options: ServeOptions): void {
  if (isLoopback(host) || options.auth || options.insecure) return;
  throw new WeftError(
    "invalid_argument",
    `Listening on ${host} lets others in: give auth (say bearer(token)), or insecure: true if that is meant.`,
  );
}

function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** gRPC is reached at the public host when there is one. */
function grpcHost(url: string, options: ServeOptions): string {
  return options.publicUrl ? new URL(url).hostname : hostText(options.host ?? "127.0.0.1");
}
