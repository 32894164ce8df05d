import type { Client } from "@grpc/grpc-js";
import { WeftError } from "@weft/tracing";
import { LazyStream } from "../a2a/pull-stream.ts";
import { abortable } from "../agent/abortable.ts";
import type { GrpcModules } from "../server/import-grpc.ts";
import type { ResponseStream, TransportCall, TransportInterceptor } from "./intercept-transport.ts";

/** Bounds the wait for gRPC's connection: grpc-js has a call wait for one as long as for its answer. */
export class ConnectedCalls implements TransportInterceptor {
  readonly #states: GrpcModules["grpc"]["connectivityState"];
  readonly #client: Client;
  readonly #where: string;
  readonly #connectMs: number;

  constructor(modules: GrpcModules, client: Client, target: { where: string; connectMs: number }) {
    this.#states = modules.grpc.connectivityState;
    this.#client = client;
    this.#where = target.where;
    this.#connectMs = target.connectMs;
  }

  async unary(call: TransportCall, next: (call: TransportCall) => Promise<unknown>): Promise<unknown> {
    await this.#connected(call.options.signal);
    return next(call);
  }

  stream(call: TransportCall, next: (call: TransportCall) => ResponseStream): ResponseStream {
    return new LazyStream(async () => {
      await this.#connected(call.options.signal);
      return next(call);
    });
  }

  /** Resolves once it is decided: connected, or refused, which the call itself then says. */
  async #connected(signal: AbortSignal | undefined): Promise<void> {
    const channel = this.#client.getChannel();
    const { IDLE, CONNECTING } = this.#states;
    const deadline = Date.now() + this.#connectMs;
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state !== IDLE && state !== CONNECTING) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      channel.watchConnectivityState(state, deadline, (late) => {
        const text = `${this.#where}: no connection within connectMs of ${this.#connectMs} ms.`;
        if (late) reject(new WeftError("unavailable", text, { cause: late }));
        else resolve();
      });
      await (signal ? abortable(signal, promise) : promise);
    }
  }
}
