import type { Dispatcher } from "undici";
import { WeftError } from "@weft/tracing";
import { abortError } from "../agent/abortable.ts";
import { EventQueue } from "./event-queue.ts";
import type { JsonEvents } from "./json-transport.ts";
import { EventParser } from "./server-sent-events.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";
import { tooLarge } from "./too-large.ts";

/** How a binding reads what comes. */
export interface StreamReading {
  /**
   * The result that an event holds.
   *
   * @throws what it tells instead
   */
  read(event: ServerSentEvent, status: number): unknown;
  /** @throws what an answer says that is no stream */
  refuse(text: string, status: number): never;
}

/** Bytes of events that may wait to be read; the connection pauses at more. */
const windowBytes = 65_536;
/** What an event takes besides its text, about. */
const eventBytes = 64;

/** One streamed answer of undici: its events go from the socket's chunks into a queue, with no stream in between. */
export class StreamAnswer implements Dispatcher.DispatchHandler, JsonEvents {
  readonly #reading: StreamReading;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #events = new EventQueue<ServerSentEvent>();
  readonly #parser: EventParser;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #isEventStream = false;
  #isOver = false;
  /** Why it was given up. */
  #reason: WeftError | undefined;

  /** `maxBytes`: of one event, or of an answer that is no stream. `signal` ends it at once. */
  constructor(reading: StreamReading, maxBytes: number, signal: AbortSignal | undefined) {
    this.#reading = reading;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    this.#parser = new EventParser(maxBytes, (event) =>
      this.#events.push(event, event.data.length + eventBytes),
    );
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  get isOver(): boolean {
    return this.#events.isOver;
  }

  take(): unknown {
    const event = this.#events.take();
    if (event === undefined) return undefined;
    const isRead = this.#events.bytes < windowBytes / 2;
    if (isRead && !this.#isOver && this.#controller?.paused) this.#controller.resume();
    return this.#reading.read(event, this.#status);
  }

  ready(): Promise<void> {
    return this.#events.ready();
  }

  cancel(): void {
    this.#events.drop();
    if (!this.#isOver) this.#giveUp(new WeftError("aborted", "The stream is read no further."));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#reason) controller.abort(this.#reason);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    const type = headers["content-type"];
    this.#status = status;
    this.#isEventStream = typeof type === "string" && type.startsWith("text/event-stream");
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    try {
      if (this.#isEventStream) this.#parser.push(chunk);
      else this.#collect(chunk);
    } catch (error) {
      controller.abort(error as Error);
    }
    if (this.#events.bytes >= windowBytes) controller.pause();
  }

  onResponseEnd(): void {
    this.#leave();
    if (this.#isEventStream) return this.#events.end();
    try {
      this.#reading.refuse(Buffer.concat(this.#chunks, this.#bytes).toString("utf8"), this.#status);
    } catch (error) {
      this.#events.end(error as Error);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#leave();
    this.#events.end(error);
  }

  #collect(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#chunks.push(chunk);
  }

  readonly #abort = (): void => {
    const error = abortError(this.#signal!);
    this.#events.drop(error);
    this.#giveUp(error);
  };

  #giveUp(reason: WeftError): void {
    this.#leave();
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  #leave(): void {
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
