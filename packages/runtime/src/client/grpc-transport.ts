import type { AgentCard } from "@a2a-js/sdk";
import type { ChannelCredentials, Interceptor, ServiceDefinition, StatusObject } from "@grpc/grpc-js";
import type { Transport } from "@a2a-js/sdk/client";
import { importGrpc, importLegacyGrpc } from "../server/import-grpc.ts";
import type { GrpcModules } from "../server/import-grpc.ts";
import type { ClientTls } from "./client-tls.ts";
import { ConnectedCalls } from "./connected-calls.ts";
import type { OpenTransport } from "./create-transport.ts";
import { interceptTransport } from "./intercept-transport.ts";
import { tooLarge } from "./too-large.ts";

export interface GrpcTransportOptions {
  readonly card: AgentCard;
  /** Whether A2A 0.3 is spoken. */
  readonly isLegacy: boolean;
  readonly tls?: ClientTls | undefined;
  readonly connectMs: number;
  readonly answerBytes: number;
  /** To connect to instead of what DNS says of the host by then. */
  readonly address?: string | undefined;
}

/** The SDK's gRPC transport on a channel of ours: its own takes no options, and answers of more than 4 MiB fail. */
export async function createGrpcTransport(
  url: string,
  options: GrpcTransportOptions,
): Promise<OpenTransport> {
  const modules = await importGrpc();
  const credentials = credentialsFor(modules, url, options.tls);
  const address = url.replace(/^[a-z]+:\/\//i, "");
  const { transport, service } = await (options.isLegacy
    ? createLegacy(address)
    : createCurrent(modules, address, options.card));
  const own = transport as unknown as { grpcClient: { close(): void } };
  own.grpcClient.close();
  const Client = modules.grpc.makeGenericClientConstructor(service, "A2AService");
  const pinned = options.address === undefined ? undefined : pinnedTarget(address, options.address);
  const channel = new Client(pinned?.target ?? address, credentials, {
    ...pinned?.options,
    "grpc.max_receive_message_length": options.answerBytes,
    "grpc.max_send_message_length": -1,
    interceptors: [nameAnswerLimit(modules, options.answerBytes)],
  });
  own.grpcClient = channel;
  const connected = new ConnectedCalls(modules, channel, { where: url, connectMs: options.connectMs });
  return { transport: interceptTransport(transport, [connected]), close: async () => channel.close() };
}

/** Has grpc-js's own refusal of an answer say what that of the other bindings says. */
function nameAnswerLimit({ grpc }: GrpcModules, answerBytes: number): Interceptor {
  const isTooLarge = ({ code, details }: StatusObject): boolean =>
    code === grpc.status.RESOURCE_EXHAUSTED &&
    details.startsWith("Received message larger") &&
    details.endsWith(`vs ${answerBytes})`);
  return (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) =>
        next(metadata, {
          onReceiveStatus: (status, pass) =>
            pass(isTooLarge(status) ? { ...status, details: tooLarge(answerBytes).message } : status),
        }),
    });
}

interface SdkTransport {
  readonly transport: Transport;
  readonly service: ServiceDefinition;
}

async function createCurrent(
  { client, server }: GrpcModules,
  address: string,
  card: AgentCard,
): Promise<SdkTransport> {
  const transport = await new client.GrpcTransportFactory().create(address, card);
  return { transport, service: server.A2AService };
}

async function createLegacy(endpoint: string): Promise<SdkTransport> {
  const { client, server } = await importLegacyGrpc();
  return { transport: new client.LegacyGrpcTransport({ endpoint }), service: server.LegacyA2AService };
}

/** The checked address, under the name that the far side's certificate and authority are for. */
function pinnedTarget(
  address: string,
  checked: string,
): { readonly target: string; readonly options: Readonly<Record<string, string>> } {
  const url = new URL(`grpc://${address}`);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const target = checked.includes(":") ? `ipv6:[${checked}]` : `ipv4:${checked}`;
  return {
    target: `${target}:${url.port || 443}`,
    options: { "grpc.default_authority": url.host, "grpc.ssl_target_name_override": host },
  };
}

/** An address with a scheme of TLS is one with TLS; so is a bare one on port 443. */
function credentialsFor({ grpc }: GrpcModules, url: string, tls: ClientTls | undefined): ChannelCredentials {
  if (!/^(https|grpcs):/i.test(url) && !/^[^/]+:443$/.test(url)) return grpc.credentials.createInsecure();
  const { ca, key, cert } = tls ?? {};
  return grpc.credentials.createSsl(toBuffer(ca), toBuffer(key), toBuffer(cert));
}

function toBuffer(pem: ClientTls["ca"]): Buffer | null {
  if (pem === undefined) return null;
  const list = typeof pem === "string" || Buffer.isBuffer(pem) ? [pem] : pem;
  return Buffer.concat(list.map((one) => Buffer.from(one)));
}
