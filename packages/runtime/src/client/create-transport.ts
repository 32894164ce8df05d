import type { AgentCard } from "@a2a-js/sdk";
import { JsonRpcTransportFactory, RestTransportFactory, TenantTransportDecorator } from "@a2a-js/sdk/client";
import type { Transport } from "@a2a-js/sdk/client";
import { Attr } from "@weft/tracing/vocabulary";
import type { Attributes } from "@weft/tracing/internal";
import { importGrpc } from "../server/import-grpc.ts";
import { defaultLimits } from "../server/limits.ts";
import { WsChannel } from "../ws/ws-channel.ts";
import { WsTransport } from "../ws/ws-transport.ts";
import { BoundedCalls } from "./bounded-calls.ts";
import type { HttpPool } from "./http-pool.ts";
import { interceptTransport } from "./intercept-transport.ts";
import type { SelectedInterface } from "./select-interface.ts";
import type { ClientTimeouts } from "./timeouts.ts";
import { TracedCalls } from "./traced-calls.ts";

export interface TransportOptions {
  readonly card: AgentCard;
  readonly selected: SelectedInterface;
  readonly pool: HttpPool;
  readonly timeouts: ClientTimeouts;
  /** The login. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** Service parameters besides the login. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface OpenTransport {
  readonly transport: Transport;
  close(): Promise<void>;
}

/** The transport of the chosen interface: traced outside, bounded inside. */
export async function createTransport(options: TransportOptions): Promise<OpenTransport> {
  const { selected, timeouts, card, headers, parameters } = options;
  const { binding, endpoint } = selected;
  const base = await createBase(options);
  const tenanted = endpoint.tenant
    ? new TenantTransportDecorator(base.transport, endpoint.tenant)
    : base.transport;
  const bounded = interceptTransport(
    tenanted,
    new BoundedCalls({
      where: `Agent "${card.name}" at ${endpoint.url}`,
      unaryMs: timeouts.unaryMs,
      // grpc-js shows no sign of life between two events; the others do.
      eventMs: binding === "grpc" ? timeouts.unaryMs : undefined,
      parameters: async () => ({ ...parameters, ...(await headers()) }),
    }),
  );
  const traced = interceptTransport(bounded, new TracedCalls(binding, serverAttributes(endpoint.url)));
  return { transport: traced, close: () => base.close() };
}

async function createBase(options: TransportOptions): Promise<OpenTransport> {
  const { selected, card, pool, timeouts, headers } = options;
  const { url } = selected.endpoint;
  const nothing = async (): Promise<void> => undefined;
  switch (selected.binding) {
    case "ws": {
      const { connectMs, streamIdleMs: idleMs } = timeouts;
      const maxFrameBytes = defaultLimits.frameBytes * 4;
      const channel = new WsChannel({ url, connectMs, idleMs, maxFrameBytes, headers });
      return { transport: new WsTransport(channel), close: () => channel.close() };
    }
    case "jsonrpc": {
      const factory = new JsonRpcTransportFactory({ fetchImpl: pool.fetch });
      return { transport: await factory.create(url, card), close: nothing };
    }
    case "rest": {
      const factory = new RestTransportFactory({ fetchImpl: pool.fetch });
      return { transport: await factory.create(url, card), close: nothing };
    }
    case "grpc": {
      const { grpc, client } = await importGrpc();
      const credentials = url.startsWith("https:")
        ? grpc.credentials.createSsl()
        : grpc.credentials.createInsecure();
      const factory = new client.GrpcTransportFactory({ grpcChannelCredentials: credentials });
      const transport = await factory.create(url.replace(/^https?:\/\//, ""), card);
      return { transport, close: async () => closeGrpc(transport) };
    }
  }
}

/** The SDK keeps its channel to itself and has no way to close it. */
function closeGrpc(transport: Transport): void {
  (transport as unknown as { grpcClient?: { close(): void } }).grpcClient?.close();
}

export function serverAttributes(url: string): Attributes {
  const parsed = URL.parse(/^[a-z]+:\/\//i.test(url) ? url : `grpc://${url}`);
  if (!parsed) return {};
  const port = Number(parsed.port) || (/^(https|wss):$/.test(parsed.protocol) ? 443 : 80);
  return { [Attr.serverAddress]: parsed.hostname, [Attr.serverPort]: port };
}
