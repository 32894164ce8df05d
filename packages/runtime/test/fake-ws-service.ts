/** A service of the WebSocket binding whose frames a test says: also those that no service should send. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { AgentCard } from "@a2a-js/sdk";
import { Packr } from "msgpackr";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { createAgentCard } from "../src/a2a/agent-card.ts";
import { wsBindingUri } from "../src/index.ts";
import { echo } from "./support.ts";

/** What the client of a test sends. */
export interface SentFrame {
  readonly type: string;
  readonly id: number;
  readonly method?: string;
  readonly credit?: number;
}

const packr = new Packr({ useRecords: false });

export class FakeWsService implements AsyncDisposable {
  readonly card: AgentCard;
  /** Every connection so far, as they came. */
  readonly sockets: WebSocket[] = [];
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer, answer: (frame: SentFrame, socket: WebSocket) => void) {
    this.#server = server;
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const card = createAgentCard(echo, { url, bindings: ["ws"] });
    const tenant = "";
    this.card = {
      ...card,
      supportedInterfaces: [{ url, protocolBinding: wsBindingUri, protocolVersion: "1.0", tenant }],
    };
    server.on("connection", (socket) => {
      this.sockets.push(socket);
      socket.on("message", (data) => answer(packr.unpack(data as Buffer) as SentFrame, socket));
    });
  }

  static async start(answer: (frame: SentFrame, socket: WebSocket) => void): Promise<FakeWsService> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    return new FakeWsService(server, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.#server.close();
  }
}

export function sendFrame(socket: WebSocket, frame: object): void {
  socket.send(packr.pack(frame));
}

const messageOf = (text: string) => ({ messageId: "m", role: "ROLE_AGENT", parts: [{ text }] });

/** Answers a call that does not stream with a message. */
export function sendAnswer(socket: WebSocket, id: number, text: string): void {
  sendFrame(socket, { type: "response", id, result: { message: messageOf(text) }, parameters: {} });
}

/** An event with a message of so many characters; its frame is a little longer. */
export function sendEvent(socket: WebSocket, id: number, seq: number, length: number): void {
  sendFrame(socket, { type: "event", id, seq, result: { message: messageOf("x".repeat(length)) } });
}
