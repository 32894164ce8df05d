import type { Duplex } from "node:stream";
import type { Server } from "@grpc/grpc-js";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import type { AuthRequest, Principal } from "../auth/auth.ts";
import { nameBodyLimit } from "./grpc-body-limit.ts";
import { currentDialect } from "./grpc-dialect.ts";
import { createGrpcService } from "./grpc-service.ts";
import type { GrpcServiceOptions } from "./grpc-service.ts";
import type { GrpcModules, LegacyGrpcModules } from "./import-grpc.ts";
import { LegacyGrpcDialect } from "./legacy-grpc-dialect.ts";
import type { Limits } from "./limits.ts";
import { VersionCheck } from "./version-check.ts";

export interface GrpcEndpointOptions {
  readonly modules: GrpcModules;
  /** Answers A2A 0.3 too. */
  readonly legacy?: LegacyGrpcModules | undefined;
  readonly handler: A2ARequestHandler;
  readonly limits: Limits;
  readonly authenticate: (request: AuthRequest) => Promise<Principal | null>;
}

/** A2A over gRPC on sockets that are handed to it, TLS done or not needed. */
export class GrpcEndpoint {
  readonly #server: Server;
  readonly #injector: ReturnType<Server["createConnectionInjector"]>;

  constructor(options: GrpcEndpointOptions) {
    const { modules, handler, legacy } = options;
    const { grpc, server } = modules;
    const { bodyBytes, headerBytes, streamsPerCaller, callsPerCaller, keepAliveMs } = options.limits;
    this.#server = new grpc.Server({
      "grpc.max_receive_message_length": bodyBytes,
      "grpc.max_metadata_size": headerBytes,
      "grpc.max_concurrent_streams": streamsPerCaller + callsPerCaller,
      "grpc.keepalive_time_ms": keepAliveMs,
      "grpc.keepalive_timeout_ms": keepAliveMs,
      interceptors: [nameBodyLimit(modules, bodyBytes)],
    });
    const versions = new VersionCheck(handler, "grpc");
    const common = { modules, handler, versions, identify: identifyBy(options.authenticate) };
    this.#server.addService(server.A2AService, createGrpcService({ ...common, dialect: currentDialect }));
    if (legacy) {
      const dialect = new LegacyGrpcDialect(grpc, legacy);
      this.#server.addService(legacy.server.LegacyA2AService, createGrpcService({ ...common, dialect }));
    }
    this.#injector = this.#server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  }

  /** Takes a socket on which HTTP/2 is spoken. */
  inject(socket: Duplex): void {
    this.#injector.injectConnection(socket);
  }

  /** Lets open calls end for at most `graceMs`, then cuts them. */
  async close(graceMs: number): Promise<void> {
    this.#injector.drain(graceMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.tryShutdown(() => resolve());
    const timer = setTimeout(() => {
      this.#injector.destroy();
      this.#server.forceShutdown();
      resolve();
    }, graceMs);
    await promise;
    clearTimeout(timer);
  }
}

function identifyBy(authenticate: GrpcEndpointOptions["authenticate"]): GrpcServiceOptions["identify"] {
  return async (call, headers) => {
    const certificate = call.getAuthContext().sslPeerCertificate;
    const remoteAddress = addressOf(call.getPeer());
    const principal = await authenticate({
      headers,
      remoteAddress,
      // Connections with a certificate that does not verify are not handed over.
      ...(certificate && Object.keys(certificate).length > 0 ? { certificate } : {}),
    });
    return { principal, remoteAddress };
  };
}

/** `127.0.0.1:4711` and `[::1]:4711` without the port. */
function addressOf(peer: string): string | undefined {
  return /^(?:ipv[46]:)?(.+):\d+$/.exec(peer)?.[1];
}
