import { WeftError } from "@weft/tracing";
import { abortError } from "../agent/abortable.ts";
import type { ResponseStream, TransportCall, TransportInterceptor } from "./intercept-transport.ts";
import { toWeftError } from "./to-weft-error.ts";

export interface BoundedCallsOptions {
  /** Names the far side in errors. */
  readonly where: string;
  readonly unaryMs: number;
  /** Milliseconds between two events of a stream; undefined where the transport watches for signs of life itself. */
  readonly eventMs?: number | undefined;
  /** Service parameters for every call: the login, the extensions. */
  readonly parameters: () => Promise<Readonly<Record<string, string>>>;
}

/** Every call gets a deadline, the login, and errors of one class that name the far side. */
export class BoundedCalls implements TransportInterceptor {
  readonly #options: BoundedCallsOptions;

  constructor(options: BoundedCallsOptions) {
    this.#options = options;
  }

  async unary(call: TransportCall, next: (call: TransportCall) => Promise<unknown>): Promise<unknown> {
    const { unaryMs } = this.#options;
    const limit = new CallLimit(call.options.signal, unaryMs);
    try {
      return await next(await this.#prepare(call, limit.signal));
    } catch (error) {
      throw this.#errorOf(error, limit, `no answer within ${unaryMs} ms`);
    } finally {
      limit.end();
    }
  }

  async *stream(call: TransportCall, next: (call: TransportCall) => ResponseStream): ResponseStream {
    const { eventMs } = this.#options;
    const given = call.options.signal;
    const limit = new CallLimit(given, eventMs);
    try {
      for await (const event of next(await this.#prepare(call, limit.signal))) {
        limit.extend();
        yield event;
      }
    } catch (error) {
      throw this.#errorOf(error, limit, `no event within ${eventMs} ms`);
    } finally {
      limit.end();
    }
    // A transport that ends its stream quietly at an abort does not turn the abort into an end.
    if (given?.aborted) throw abortError(given);
  }

  #errorOf(error: unknown, limit: CallLimit, late: string): WeftError {
    const { where } = this.#options;
    if (limit.given?.aborted) return abortError(limit.given);
    return limit.isLate
      ? new WeftError("deadline_exceeded", `${where}: ${late}.`)
      : toWeftError(error, where);
  }

  async #prepare(call: TransportCall, signal: AbortSignal): Promise<TransportCall> {
    signal.throwIfAborted();
    const serviceParameters = { ...(await this.#options.parameters()), ...call.options.serviceParameters };
    return { ...call, options: { ...call.options, serviceParameters, signal } };
  }
}

/**
 * The caller's signal and a deadline as one signal. Ended by hand: `AbortSignal.timeout` would keep its timer for
 * minutes after a call of a millisecond.
 */
class CallLimit {
  isLate = false;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly given: AbortSignal | undefined;

  constructor(given: AbortSignal | undefined, ms: number | undefined) {
    this.given = given;
    if (given?.aborted) this.#abort();
    given?.addEventListener("abort", this.#abort, { once: true });
    if (ms === undefined) return;
    this.#timer = setTimeout(() => {
      this.isLate = true;
      this.#controller.abort();
    }, ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  extend(): void {
    this.#timer?.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.given?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#controller.abort(this.given?.reason);
}
