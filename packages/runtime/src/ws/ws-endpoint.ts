import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import type { Caller } from "../server/call-context.ts";
import type { Limits } from "../server/limits.ts";
import { wsSubprotocol } from "./frames.ts";
import { WsConnection } from "./ws-connection.ts";

/** Weft's custom binding: A2A's operations as frames over one WebSocket per client. */
export class WsEndpoint {
  readonly #server: WebSocketServer;
  readonly #connections = new Set<WsConnection>();
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: limits.frameBytes,
      WebSocket: namingLimit(limits.frameBytes),
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(wsSubprotocol) ? wsSubprotocol : false),
    });
  }

  /** Takes over an upgraded socket; who calls was asked before. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    target: { handler: A2ARequestHandler; caller: Caller },
  ): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      const connection = new WsConnection(webSocket, {
        ...target,
        socket,
        headers: request.headers,
        limits: this.#limits,
      });
      this.#connections.add(connection);
      webSocket.once("close", () => this.#connections.delete(connection));
    });
  }

  /** Tells every client to send its next request elsewhere. */
  goAway(): void {
    for (const connection of this.#connections) connection.goAway();
  }

  /** Lets open calls be answered for at most `graceMs`. */
  close(graceMs: number): void {
    for (const connection of this.#connections) connection.close(graceMs);
  }
}

/** A connection whose close for a frame that is too large says so: `ws` does that itself, and gives no reason. */
function namingLimit(frameBytes: number): typeof WebSocket {
  return class extends WebSocket {
    override close(code?: number, reason?: string | Buffer): void {
      super.close(
        code,
        code === 1009 ? `A frame exceeds the limit frameBytes of ${frameBytes} bytes.` : reason,
      );
    }
  };
}
