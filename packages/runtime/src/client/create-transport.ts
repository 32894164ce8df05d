import type { AgentCard } from "@a2a-js/sdk";
import { TenantTransportDecorator } from "@a2a-js/sdk/client";
import type { Transport } from "@a2a-js/sdk/client";
import { LegacyJsonRpcTransport, LegacyRestTransport } from "@a2a-js/sdk/compat/v0_3/client";
import { Attr } from "@weft/tracing/vocabulary";
import type { Attributes } from "@weft/tracing/internal";
import { isWeftCard } from "../a2a/agent-card.ts";
import { WsCalls } from "../ws/ws-calls.ts";
import { BoundedCalls } from "./bounded-calls.ts";
import type { CardGuard } from "./card-guard.ts";
import type { ClientTls } from "./client-tls.ts";
import { createGrpcTransport } from "./grpc-transport.ts";
import { HttpExchange } from "./http-exchange.ts";
import type { HttpPool } from "./http-pool.ts";
import { interceptTransport } from "./intercept-transport.ts";
import { JsonRpcCalls } from "./json-rpc-calls.ts";
import { JsonTransport } from "./json-transport.ts";
import { legacyRestFetch } from "./legacy-fetch.ts";
import { RestCalls } from "./rest-calls.ts";
import { RetriedCalls } from "./retried-calls.ts";
import { isLegacy } from "./select-interface.ts";
import type { SelectedInterface } from "./select-interface.ts";
import { leaseChannel } from "./ws-pool.ts";
import type { ClientTimeouts } from "./timeouts.ts";
import { TracedCalls } from "./traced-calls.ts";

export interface TransportOptions {
  readonly card: AgentCard;
  readonly selected: SelectedInterface;
  /** Checks the address of each connection; undefined for a card that the caller gave. */
  readonly guard?: CardGuard;
  /** The address that was checked, for what looks hosts up by itself. */
  readonly address?: string;
  readonly pool: HttpPool;
  readonly timeouts: ClientTimeouts;
  /** The login, where there is one. */
  readonly headers?: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  /** Service parameters besides the login. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Whose login it is: clients with the same one may share a connection. */
  readonly login?: object | undefined;
  readonly tls?: ClientTls | undefined;
  /** Bytes of one answer or event. */
  readonly answerBytes: number;
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
  const bounded = new BoundedCalls({
    where: `Agent "${card.name}" at ${endpoint.url}`,
    unaryMs: timeouts.unaryMs,
    // grpc-js shows no sign of life between two events; the others do.
    eventMs: binding === "grpc" ? timeouts.unaryMs : undefined,
    parameters,
    login: headers,
  });
  const retried = new RetriedCalls(isWeftCard(card));
  const traced = new TracedCalls(
    { binding, version: endpoint.protocolVersion },
    serverAttributes(endpoint.url),
  );
  const transport = interceptTransport(tenanted, [traced, retried, bounded]);
  return { transport, close: () => base.close() };
}

async function createBase(options: TransportOptions): Promise<OpenTransport> {
  const { selected, pool, timeouts, headers, login, tls, answerBytes } = options;
  const { url } = selected.endpoint;
  const nothing = async (): Promise<void> => undefined;
  const isOld = isLegacy(selected.endpoint);
  if (isOld && selected.binding !== "grpc")
    return { transport: createLegacy(selected, pool), close: nothing };
  switch (selected.binding) {
    case "ws": {
      const { connectMs, streamIdleMs: idleMs } = timeouts;
      const { guard } = options;
      const channelOptions = { url, connectMs, idleMs, maxFrameBytes: answerBytes, headers, tls, guard };
      const { channel, close } = leaseChannel(login, channelOptions);
      return { transport: new JsonTransport(new WsCalls(channel)), close };
    }
    case "jsonrpc": {
      const calls = new JsonRpcCalls(new HttpExchange(pool.dispatcher, url, answerBytes));
      return { transport: new JsonTransport(calls), close: nothing };
    }
    case "rest": {
      const calls = new RestCalls(new HttpExchange(pool.dispatcher, url, answerBytes));
      return { transport: new JsonTransport(calls), close: nothing };
    }
    case "grpc":
      return createGrpcTransport(url, {
        card: options.card,
        isLegacy: isOld,
        tls,
        connectMs: timeouts.connectMs,
        answerBytes,
        address: options.address,
      });
  }
}

/** A2A 0.3, by the SDK's compatibility layer. */
function createLegacy({ binding, endpoint }: SelectedInterface, pool: HttpPool): Transport {
  const { url } = endpoint;
  return binding === "rest"
    ? new LegacyRestTransport({ endpoint: url, fetchImpl: legacyRestFetch(pool.fetch) })
    : new LegacyJsonRpcTransport({ endpoint: url, fetchImpl: pool.fetch });
}

export function serverAttributes(url: string): Attributes {
  const parsed = URL.parse(/^[a-z]+:\/\//i.test(url) ? url : `grpc://${url}`);
  if (!parsed) return {};
  const port = Number(parsed.port) || (/^(https|wss):$/.test(parsed.protocol) ? 443 : 80);
  return { [Attr.serverAddress]: parsed.hostname, [Attr.serverPort]: port };
}
