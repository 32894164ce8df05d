/*
 * WsChannel: a client's one connection to a Weft service, over as many WsClientConnections as it takes.
 *
 * Job: numbers requests, and has a connection for each.
 * Owns: the connection in use. Does not own: deadlines of calls (their signals').
 *
 * I1  A lost connection fails every open call at once, and the next call opens a new one.
 * I2  A connection told to go away gets no new request; the next call opens another.
 */
import { WsClientConnection } from "./ws-client-connection.ts";
import type { FrameReader, WsChannelOptions } from "./ws-client-connection.ts";

/** What is asked for. */
export interface WsRequest {
  readonly method: string;
  readonly params: unknown;
  readonly parameters: Readonly<Record<string, string>>;
  /** Bytes of events that may come. */
  readonly credit?: number;
}

/** A request on its way. */
export interface SentRequest {
  /** Lets the far side send more bytes of events. */
  readonly grant: (bytes: number) => void;
  /** Reads no further; what was not sent yet never is. Nothing happens once the call is over. */
  readonly cancel: () => void;
}

export class WsChannel {
  readonly #options: WsChannelOptions;
  #connection: Promise<WsClientConnection> | undefined;
  /** The same, once it stands. */
  #open: WsClientConnection | undefined;
  #nextId = 1;

  constructor(options: WsChannelOptions) {
    this.#options = options;
  }

  /** Sends a request, as soon as there is a connection; `reader` gets its frames, or why none come. */
  open(request: WsRequest, reader: FrameReader): SentRequest {
    const id = this.#nextId++;
    let connection = this.#open;
    let isLeft = false;
    const send = (opened: WsClientConnection): void => {
      connection = opened;
      if (!isLeft) opened.request({ type: "request", id, ...request }, reader);
    };
    if (connection) send(connection);
    else this.#connect().then(send, (error: Error) => reader.lost(error));
    return {
      grant: (bytes) => connection?.grant(id, bytes),
      cancel: () => {
        isLeft = true;
        connection?.cancel(id);
      },
    };
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
  }

  /** One connection at a time: who comes while it opens waits for the same one. */
  #connect(): Promise<WsClientConnection> {
    this.#connection ??= this.#dial();
    return this.#connection;
  }

  #dial(): Promise<WsClientConnection> {
    let isRetired = false;
    const retire = (): void => {
      isRetired = true;
      // By then another one may have taken its place.
      if (this.#connection === dialed) this.#connection = this.#open = undefined;
    };
    const dialed = this.#upgrade(retire);
    dialed.then((connection) => {
      if (!isRetired) this.#open = connection;
    }, retire);
    return dialed;
  }

  async #upgrade(onRetire: () => void): Promise<WsClientConnection> {
    const headers = (await this.#options.headers?.()) ?? {};
    const connection = new WsClientConnection(this.#options, headers, onRetire);
    await connection.opened;
    return connection;
  }
}
