/*
 * Listener: the ports of a service.
 *
 * Job: node:http for JSON-RPC, REST and WebSocket; gRPC on the same port (TLS says which, else a connection's first
 *   bytes do) or on one of its own; TLS in front of all of them.
 * Owns: the servers and sockets. Does not own: what requests mean.
 */
import { createServer as createHttpServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import type { TLSSocket } from "node:tls";
import { WeftError } from "@weft/tracing";
import { ROOT_CONTEXT, runInContext } from "@weft/tracing/internal";
import type { AgentService } from "./agent-service.ts";
import type { GrpcEndpoint } from "./grpc-endpoint.ts";
import type { Limits } from "./limits.ts";

/** How HTTP/2 begins (RFC 9113, 3.4); the first bytes tell it from any HTTP/1 method. */
const http2Preface = Buffer.from("PRI * HTTP/2.0");

/** What a listener needs to speak TLS. */
export interface ServerTls {
  /** PEM of the certificate and those between it and its authority. */
  readonly cert: string | Buffer;
  /** PEM of its key. */
  readonly key: string | Buffer;
  /** PEM of the authorities whose client certificates are taken (mutual TLS). */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
}

export interface ListenerOptions {
  readonly service: AgentService;
  /** Handed the connections that speak HTTP/2. */
  readonly grpc?: GrpcEndpoint | undefined;
  /** Whether anything but gRPC is served here. */
  readonly hasHttp: boolean;
  readonly tls?: ServerTls | undefined;
  /** Whether clients are asked for a certificate. */
  readonly asksCertificate?: boolean;
}

export class Listener {
  readonly #http: HttpServer;
  readonly #front: NetServer | HttpServer;
  readonly #sockets = new Set<Socket>();

  constructor(options: ListenerOptions) {
    const { service, grpc, tls } = options;
    this.#http = createHttp(service);
    this.#front = grpc || tls ? createFront(this.#http, options) : this.#http;
    this.#front.maxConnections = service.limits.connections;
    this.#front.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Listens and returns the port. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#front.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another program listens there" : (error.code ?? "it failed");
      reject(new WeftError("unavailable", `Cannot listen on ${host}:${port}: ${why}.`, { cause: error }));
    });
    // Sockets are opened in the root context; each request brings its own.
    runInContext(ROOT_CONTEXT, () => this.#front.listen(port, host, resolve));
    await promise;
    return (this.#front.address() as AddressInfo).port;
  }

  /** Takes no connections; those that are idle end. */
  stopAccepting(): void {
    this.#front.close();
    this.#http.closeIdleConnections();
  }

  /** Ends what is left, after `graceMs` for answers still being written. */
  async close(graceMs: number): Promise<void> {
    this.#http.closeIdleConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, graceMs);
    for (const socket of this.#sockets) socket.once("close", () => this.#sockets.size === 0 && resolve());
    if (this.#sockets.size === 0) resolve();
    await promise;
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#http.closeAllConnections();
    if (this.#front !== this.#http) this.#http.emit("close");
  }
}

function createHttp(service: AgentService): HttpServer {
  const { headerBytes, headersMs, requestMs, idleMs } = service.limits;
  const server = createHttpServer({
    maxHeaderSize: headerBytes,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(headersMs, 5_000),
  });
  server.on("request", (request, response) => void service.handle(request, response));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
    refuseConnection(error, socket, service.limits),
  );
  server.on("upgrade", (request, socket, head) => void service.upgrade(request, socket, head));
  return server;
}

/** What node:http could not read as a request: it belongs to no binding, so the answer is plain. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex, limits: Limits): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const [status, message] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [
          "431 Request Header Fields Too Large",
          `The headers exceed the limit headerBytes of ${limits.headerBytes} bytes.`,
        ]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [
            "408 Request Timeout",
            `The request did not arrive within headersMs (${limits.headersMs}) or requestMs.`,
          ]
        : ["400 Bad Request", "This is not an HTTP request."];
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(message)}\r\n\r\n${message}`);
}

/** Accepts every connection, finds out what it speaks, and hands it to whom it speaks to. */
function createFront(http: HttpServer, options: ListenerOptions): NetServer {
  // The HTTP server never listens itself; its timeouts start with this event.
  http.emit("listening");
  return options.tls ? createTlsFront(http, options, options.tls) : createPlainFront(http, options);
}

/** The handshake says what is spoken. A certificate that does not verify ends the connection; none is for `auth` to refuse. */
function createTlsFront(http: HttpServer, options: ListenerOptions, tls: ServerTls): NetServer {
  const { grpc, hasHttp, asksCertificate = false } = options;
  const { cert, key, ca } = tls;
  const server = createTlsServer({
    cert,
    key,
    ...(ca === undefined ? {} : { ca: typeof ca === "string" || Buffer.isBuffer(ca) ? ca : [...ca] }),
    requestCert: asksCertificate,
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    handshakeTimeout: options.service.limits.headersMs,
    // Ours decides: who speaks both (a browser) gets HTTP/1.1, who speaks only HTTP/2 is a gRPC client.
    ALPNProtocols: [...(hasHttp ? ["http/1.1"] : []), ...(grpc ? ["h2"] : [])],
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.on("error", () => socket.destroy());
    const isForged = asksCertificate && !socket.authorized && socket.getPeerX509Certificate() !== undefined;
    if (isForged) socket.destroy();
    else if (grpc && socket.alpnProtocol === "h2") grpc.inject(socket);
    else if (hasHttp) http.emit("connection", socket);
    else socket.destroy();
  });
  return server;
}

function createPlainFront(http: HttpServer, options: ListenerOptions): NetServer {
  const { grpc, hasHttp } = options;
  return createNetServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.setTimeout(options.service.limits.headersMs, () => socket.destroy());
    socket.once("data", (chunk) => {
      socket.pause();
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      socket.unshift(chunk);
      const length = Math.min(chunk.length, http2Preface.length);
      const isHttp2 = chunk.subarray(0, length).equals(http2Preface.subarray(0, length));
      if (isHttp2 && grpc) grpc.inject(socket);
      else if (hasHttp) http.emit("connection", socket);
      else socket.destroy();
      process.nextTick(() => socket.resume());
    });
  });
}
