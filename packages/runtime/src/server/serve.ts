import type { AgentCard } from "@a2a-js/sdk";
import { flushTraces, WeftError } from "@weft/tracing";
import { onStopSignal } from "@weft/tracing/internal";
import { AgentService } from "./agent-service.ts";
import type { Agents, AgentServiceOptions } from "./agent-service.ts";
import { isLoopback } from "./call-context.ts";
import { GrpcEndpoint } from "./grpc-endpoint.ts";
import { importGrpc, importLegacyGrpc } from "./import-grpc.ts";
import { Listener } from "./listener.ts";
import type { ServerTls } from "./listener.ts";

export interface ServeOptions extends AgentServiceOptions {
  /** Default 0: any free port; {@link Service.port} tells which. */
  readonly port?: number;
  /** Default 127.0.0.1. Any other than loopback needs `auth` or `insecure: true`. */
  readonly host?: string;
  /** Where others reach the service, when not at host and port: a proxy's address. */
  readonly publicUrl?: string;
  /** A port of its own for gRPC. Default: the same port as everything else. */
  readonly grpcPort?: number;
  /** Serves all bindings over TLS. */
  readonly tls?: ServerTls;
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
  const grpc = hasGrpc ? await createGrpc(service, options) : undefined;
  const isShared = grpc !== undefined && options.grpcPort === undefined;
  const common = { service, tls: options.tls, asksCertificate: asksCertificate(options) };
  const listener = new Listener({ ...common, hasHttp: true, grpc: isShared ? grpc : undefined });
  const port = await listener.listen(host, options.port ?? 0);
  const grpcListener = grpc && !isShared ? new Listener({ ...common, hasHttp: false, grpc }) : undefined;
  const parts = { service, grpc, listeners: grpcListener ? [listener, grpcListener] : [listener] };
  try {
    const grpcPort =
      (await grpcListener?.listen(host, options.grpcPort ?? 0)) ?? (isShared ? port : undefined);
    const url = (
      options.publicUrl ?? `${options.tls ? "https" : "http"}://${hostText(host)}:${port}`
    ).replace(/\/+$/, "");
    service.publish(url, grpcPort === undefined ? undefined : grpcAddress(url, grpcPort, options));
    await service.ready();
    return new RunningService({ ...parts, url, port, grpcPort, signals: options.signals ?? true });
  } catch (error) {
    await closeAll(parts.listeners);
    throw error;
  }
}

interface Parts {
  readonly service: AgentService;
  readonly listeners: readonly Listener[];
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
    const { service, listeners, grpc } = this.#parts;
    this.#forgetSignals();
    await service.drain(timeoutMs);
    for (const listener of listeners) listener.stopAccepting();
    service.closeConnections(closeGraceMs);
    await Promise.all([grpc?.close(closeGraceMs), ...listeners.map((one) => one.close(closeGraceMs))]);
    await flushTraces();
  }
}

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  for (const listener of listeners) listener.stopAccepting();
  await Promise.all(listeners.map((listener) => listener.close(0)));
}

async function createGrpc(service: AgentService, { legacy = true }: ServeOptions): Promise<GrpcEndpoint> {
  return new GrpcEndpoint({
    modules: await importGrpc(),
    legacy: legacy ? await importLegacyGrpc() : undefined,
    handler: service.tenantHandler,
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

/** gRPC is reached at the public host when there is one; an address with a scheme is one with TLS. */
function grpcAddress(url: string, port: number, options: ServeOptions): string {
  const host = options.publicUrl ? new URL(url).hostname : hostText(options.host ?? "127.0.0.1");
  return `${options.tls ? "https://" : ""}${host}:${port}`;
}

/** @throws WeftError `invalid_argument` where certificates are asked for and nothing could check them */
function asksCertificate({ auth, tls }: ServeOptions): boolean {
  const asks = typeof auth === "object" && auth.asksCertificate === true;
  if (asks && tls?.ca === undefined) {
    throw new WeftError("invalid_argument", "mutualTls() needs tls with cert, key and the clients' ca.");
  }
  return asks;
}
