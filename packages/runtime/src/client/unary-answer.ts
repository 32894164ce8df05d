import type { Dispatcher } from "undici";
import { abortError } from "../agent/abortable.ts";
import type { HttpAnswer } from "./http-exchange.ts";
import { tooLarge } from "./too-large.ts";

/** Collects one answer of undici: no stream, and nothing left on the signal when it is there. */
export class UnaryAnswer implements Dispatcher.DispatchHandler {
  readonly answered: Promise<HttpAnswer>;
  readonly #settle: PromiseWithResolvers<HttpAnswer>;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #bytes = 0;
  #status = 0;

  /** `signal` ends the wait at once, and the request when it is on its way. */
  constructor(maxBytes: number, signal: AbortSignal | undefined) {
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    this.#settle = Promise.withResolvers();
    this.answered = this.#settle.promise;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted) controller.abort(abortError(this.#signal));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) controller.abort(tooLarge(this.#maxBytes));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#leave();
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 ? first! : Buffer.concat(this.#chunks, this.#bytes);
    this.#settle.resolve({ status: this.#status, text: body.toString("utf8") });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#leave();
    this.#settle.reject(error);
  }

  readonly #abort = (): void => {
    const error = abortError(this.#signal!);
    this.#settle.reject(error);
    this.#controller?.abort(error);
  };

  #leave(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
