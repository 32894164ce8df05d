/*
 * FakeService: a real A2A service on loopback whose line can be cut.
 *
 * Job: serves an agent; refuses a call at the door, or drops every connection, when it is told to.
 * Owns: the listener and its connections. Does not own: what is said (the agent's), or the client.
 *
 * I1  What is not refused goes through the server as it is: nothing of the wire is imitated but refusals.
 * I2  A drop comes when the caller has read what was sent before it, so that no test depends on time.
 */
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { json } from "node:stream/consumers";
import type { AgentHandler, AgentHandlerOptions } from "@weft/runtime";
import type { Agent } from "@weft/runtime/agent";

/** Gives the HTTP status that a call is refused with; undefined: it is let in. */
export type Doorkeeper = () => number | undefined;

export class FakeService implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #handler: AgentHandler;
  readonly #sockets = new Set<Socket>();
  readonly #refuse: Doorkeeper;
  readonly #waiting = new Set<{ readonly text: string; readonly drop: () => void }>();

  private constructor(server: Server, handler: AgentHandler, refuse: Doorkeeper) {
    this.#server = server;
    this.#handler = handler;
    this.#refuse = refuse;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on("request", (request, response) => void this.#answer(request, response));
    server.on("upgrade", (request, socket, head) => handler.upgrade(request, socket, head));
  }

  /** The server's code is loaded here, not with the library. */
  static async start(
    agent: Agent,
    options: Pick<AgentHandlerOptions, "auth" | "bindings">,
    refuse: Doorkeeper,
  ): Promise<FakeService> {
    const [{ createServer }, { agentHandler }] = await Promise.all([
      import("node:http"),
      import("@weft/runtime"),
    ]);
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FakeService(server, agentHandler(agent, options), refuse);
  }

  /** Drops every connection as soon as the caller has read `text`; none when `signal` fires before. */
  async dropAfter(text: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { text, drop: () => resolve() };
    this.#waiting.add(waiting);
    signal.addEventListener("abort", waiting.drop, { once: true });
    if (text === "" || signal.aborted) resolve();
    await promise;
    this.#waiting.delete(waiting);
    signal.removeEventListener("abort", waiting.drop);
    if (!signal.aborted) for (const socket of this.#sockets) socket.destroy();
  }

  /** The caller has read `text` of an answer so far. */
  noteRead(text: string): void {
    for (const waiting of this.#waiting) if (text.startsWith(waiting.text)) waiting.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { drop } of this.#waiting) drop();
    await this.#handler.drain({ timeoutMs: 0 });
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "POST") {
      const body: unknown = await json(request).catch(() => undefined);
      // The handler takes a body that was read before it from here, as from a body parser.
      Object.assign(request, { body });
      const status = isMessageCall(request.url, body) ? this.#refuse() : undefined;
      if (status !== undefined) return void response.writeHead(status).end();
    }
    this.#handler(request, response);
  }
}

/** Not its card, a cancellation or a look at a task: REST says it in the path, JSON-RPC in the body. */
function isMessageCall(path: string | undefined, body: unknown): boolean {
  const { method } = (body ?? {}) as { readonly method?: unknown };
  return (
    /\/message:(?:send|stream)$/u.test(path ?? "") || /^Send(?:Streaming)?Message$/u.test(String(method))
  );
}
