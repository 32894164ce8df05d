/**
 * A second client for the WebSocket binding, written from docs/bindings/websocket-msgpack.md alone: it shares no code with
 * the runtime, and brings its own msgpack.
 */
import assert from "node:assert/strict";
import { pack, unpack } from "./tiny-msgpack.ts";

interface TaskJson {
  readonly id: string;
  readonly contextId: string;
  readonly status: { readonly state: string };
  readonly artifacts: readonly ArtifactJson[];
}

interface ArtifactJson {
  readonly parts: readonly { readonly text: string; readonly raw: unknown }[];
}

/** Every member that some answer has. */
interface ResultJson extends TaskJson {
  readonly task: TaskJson;
  readonly tasks: readonly TaskJson[];
  readonly nextPageToken: string;
  readonly statusUpdate: { readonly status: { readonly state: string } };
  readonly artifactUpdate?: { readonly artifact: ArtifactJson };
}

export interface Frame {
  readonly type: string;
  readonly id?: number | null;
  readonly seq?: number;
  readonly number?: string;
  readonly result: ResultJson;
  readonly error?: {
    code: number;
    message: string;
    data?: { reason: string; metadata?: Record<string, string> }[];
  };
  readonly parameters?: Record<string, string>;
  readonly reason?: string;
}

export class WebSocketClient implements Disposable {
  readonly #socket: WebSocket;
  readonly #isBinary: boolean;
  readonly #frames: { readonly frame: Frame; readonly isBinary: boolean; readonly bytes: number }[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;
  #nextId = 0;

  private constructor(socket: WebSocket, isBinary: boolean) {
    this.#socket = socket;
    this.#isBinary = isBinary;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      const text = typeof data === "string";
      const bytes = text ? Buffer.byteLength(data) : (data as ArrayBuffer).byteLength;
      const frame = (text ? JSON.parse(data) : unpack(Buffer.from(data as ArrayBuffer))) as Frame;
      this.#frames.push({ frame, isBinary: !text, bytes });
      this.#wake();
    });
    this.closed = new Promise((resolve) =>
      socket.addEventListener("close", ({ code, reason }) => {
        this.#isClosed = true;
        this.#wake();
        resolve({ code, reason });
      }),
    );
  }

  static async open(url: string, format: "msgpack" | "json"): Promise<WebSocketClient> {
    const socket = new WebSocket(url, "weft-a2a-v1");
    const client = new WebSocketClient(socket, format === "msgpack");
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new TypeError(`no WebSocket at ${url}`)));
    });
    assert.equal(socket.protocol, "weft-a2a-v1");
    return client;
  }

  sendRaw(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  send(frame: object): void {
    this.#socket.send(this.#isBinary ? pack(frame) : JSON.stringify(frame));
  }

  /** Sends a request and returns its id. */
  request(method: string, params: object, more: object = {}): number {
    const id = this.#nextId++;
    this.send({ type: "request", id, method, params, parameters: { "A2A-Version": "1.0" }, ...more });
    return id;
  }

  /** The next frame, of this id if one is named. Each comes in the format that this client speaks. */
  async next(id?: number | null): Promise<Frame & { bytes: number }> {
    for (;;) {
      const index = this.#frames.findIndex(({ frame }) => id === undefined || frame.id === id);
      const [found] = index < 0 ? [] : this.#frames.splice(index, 1);
      if (found) {
        assert.equal(found.isBinary, this.#isBinary);
        return { ...found.frame, bytes: found.bytes };
      }
      assert.ok(!this.#isClosed, "the connection is closed");
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Events that are here, of this id. (Its `end` needs no credit.) */
  waiting(id: number): number {
    return this.#frames.filter(({ frame }) => frame.id === id && frame.type === "event").length;
  }

  async call(method: string, params: object, more: object = {}): Promise<Frame> {
    return this.next(this.request(method, params, more));
  }

  /** A whole stream: its events, checked for order, and its last frame. */
  async stream(method: string, params: object, more: object = {}): Promise<{ events: Frame[]; last: Frame }> {
    const id = this.request(method, params, more);
    const events: Frame[] = [];
    for (;;) {
      const frame = await this.next(id);
      if (frame.type !== "event") return { events, last: frame };
      assert.equal(frame.seq, events.length);
      events.push(frame);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
