import type { Duplex } from "node:stream";
import type { Server, ServerUnaryCall } from "@grpc/grpc-js";
import type { A2ARequestHandler, User } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { toWireError } from "../a2a/wire-errors.ts";
import type { Principal } from "../auth/auth.ts";
import { createCallContext } from "./call-context.ts";
import type { Caller } from "./call-context.ts";
import type { GrpcModules } from "./import-grpc.ts";
import type { Limits } from "./limits.ts";

export interface GrpcEndpointOptions {
  readonly modules: GrpcModules;
  readonly handler: A2ARequestHandler;
  readonly limits: Limits;
  readonly authenticate: (request: {
    headers: Record<string, string>;
    remoteAddress: string | undefined;
  }) => Promise<Principal | null>;
}

/** A2A over gRPC: the SDK's service on a grpc-js server, on a port of its own or on sockets handed to it. */
export class GrpcEndpoint {
  readonly #server: Server;
  readonly #modules: GrpcModules;
  #injector: ReturnType<Server["createConnectionInjector"]> | undefined;

  constructor(options: GrpcEndpointOptions) {
    const { grpc, server } = options.modules;
    this.#modules = options.modules;
    this.#server = new grpc.Server({
      "grpc.max_receive_message_length": options.limits.bodyBytes,
      "grpc.max_metadata_size": options.limits.headerBytes,
    });
    this.#server.addService(
      server.A2AService,
      server.grpcService({
        requestHandler: options.handler,
        userBuilder: async (call) => GrpcCaller.of(call, options),
        contextBuilder: ({ user, headers, tenant }) => {
          const { caller, signal } = user as GrpcCaller;
          return createCallContext({ binding: "grpc", headers, caller, signal, tenant });
        },
      }),
    );
  }

  /** Takes a socket on which HTTP/2 was spoken first. */
  inject(socket: Duplex): void {
    this.#injector ??= this.#server.createConnectionInjector(
      this.#modules.grpc.ServerCredentials.createInsecure(),
    );
    this.#injector.injectConnection(socket);
  }

  /** Listens on a port of its own and returns it. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const credentials = this.#modules.grpc.ServerCredentials.createInsecure();
    this.#server.bindAsync(
      `${host.includes(":") ? `[${host}]` : host}:${port}`,
      credentials,
      (error, bound) => {
        if (error)
          reject(new WeftError("unavailable", `Cannot listen on ${host}:${port}.`, { cause: error }));
        else resolve(bound);
      },
    );
    return promise;
  }

  /** Lets open calls end for at most `graceMs`, then cuts them. */
  async close(graceMs: number): Promise<void> {
    this.#injector?.drain(graceMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.tryShutdown(() => resolve());
    const timer = setTimeout(() => {
      this.#injector?.destroy();
      this.#server.forceShutdown();
      resolve();
    }, graceMs);
    await promise;
    clearTimeout(timer);
  }
}

/** The SDK asks for a user; ours also brings the caller's address and whether it is still there. */
class GrpcCaller implements User {
  readonly caller: Caller;
  readonly signal: AbortSignal;

  constructor(caller: Caller, signal: AbortSignal) {
    this.caller = caller;
    this.signal = signal;
  }

  static async of(
    call: ServerUnaryCall<unknown, unknown>,
    options: GrpcEndpointOptions,
  ): Promise<GrpcCaller> {
    const controller = new AbortController();
    call.on("cancelled", () => controller.abort());
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.metadata.getMap())) headers[name] = String(value);
    const remoteAddress = addressOf(call.getPeer());
    try {
      const principal = await options.authenticate({ headers, remoteAddress });
      return new GrpcCaller({ principal, remoteAddress }, controller.signal);
    } catch (error) {
      throw toWireError(error, "grpc");
    }
  }

  get isAuthenticated(): boolean {
    return this.caller.principal !== null;
  }

  get userName(): string {
    return this.caller.principal?.name ?? "";
  }
}

/** `127.0.0.1:4711` and `[::1]:4711` without the port. */
function addressOf(peer: string): string | undefined {
  return /^(?:ipv[46]:)?(.+):\d+$/.exec(peer)?.[1];
}
