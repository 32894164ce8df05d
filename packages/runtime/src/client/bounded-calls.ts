import type { StreamResponse } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { abortError } from "../agent/abortable.ts";
import { over, PullStream } from "../a2a/pull-stream.ts";
import type { ResponseStream, TransportCall, TransportInterceptor } from "./intercept-transport.ts";
import { toWeftError } from "./to-weft-error.ts";

type Parameters = Readonly<Record<string, string>>;

export interface BoundedCallsOptions {
  /** Names the far side in errors. */
  readonly where: string;
  readonly unaryMs: number;
  /**
   * Milliseconds that a stream's reader waits for an event at most, what it does between two of them aside; undefined where
   * the transport watches for signs of life itself.
   */
  readonly eventMs?: number | undefined;
  /** Service parameters of every call: the extensions. */
  readonly parameters: Parameters;
  /** More of them, asked for at each call: the login. */
  readonly login?: (() => Promise<Parameters>) | undefined;
}

/** Every call gets a deadline, the login, and errors of one class that name the far side. */
export class BoundedCalls implements TransportInterceptor {
  readonly #options: BoundedCallsOptions;

  constructor(options: BoundedCallsOptions) {
    this.#options = options;
  }

  async unary(call: TransportCall, next: (call: TransportCall) => Promise<unknown>): Promise<unknown> {
    const { unaryMs, where, login } = this.#options;
    const limit = new CallLimit(call.options.signal, unaryMs);
    limit.wait();
    try {
      limit.signal?.throwIfAborted();
      return await next(this.#bound(call, limit, login && (await login())));
    } catch (error) {
      throw limit.errorOf(error, where, `no answer within ${unaryMs} ms`);
    } finally {
      limit.end();
    }
  }

  stream(call: TransportCall, next: (call: TransportCall) => ResponseStream): ResponseStream {
    const { eventMs, where, login } = this.#options;
    const begin = async (limit: CallLimit): Promise<ResponseStream> => {
      limit.signal?.throwIfAborted();
      return next(this.#bound(call, limit, login && (await login())));
    };
    return new BoundedStream(begin, { given: call.options.signal, eventMs, where });
  }

  #bound(call: TransportCall, { signal }: CallLimit, login: Parameters | undefined): TransportCall {
    const serviceParameters = { ...this.#options.parameters, ...login, ...call.options.serviceParameters };
    const options = { ...call.options, serviceParameters, ...(signal ? { signal } : {}) };
    return { method: call.method, params: call.params, options };
  }
}

interface StreamBounds {
  readonly given: AbortSignal | undefined;
  readonly eventMs: number | undefined;
  readonly where: string;
}

class BoundedStream extends PullStream<StreamResponse> {
  readonly #begin: (limit: CallLimit) => Promise<ResponseStream>;
  readonly #bounds: StreamBounds;
  #limit: CallLimit | undefined;
  #begun: Promise<ResponseStream> | undefined;
  /** What was begun, once it is there. */
  #source: ResponseStream | undefined;
  #isOver = false;

  constructor(begin: (limit: CallLimit) => Promise<ResponseStream>, bounds: StreamBounds) {
    super();
    this.#begin = begin;
    this.#bounds = bounds;
  }

  async take(): Promise<IteratorResult<StreamResponse, void>> {
    if (this.#isOver) return over;
    const { given, eventMs, where } = this.#bounds;
    const limit = (this.#limit ??= new CallLimit(given, eventMs));
    limit.wait();
    try {
      this.#source ??= await (this.#begun ??= this.#begin(limit));
      const step = await this.#source.next();
      if (!step.done) return step;
      // A transport that ends its stream quietly at an abort does not turn the abort into an end.
      if (given?.aborted) throw abortError(given);
      this.#end();
      return step;
    } catch (error) {
      this.#end();
      throw limit.errorOf(error, where, `no event within ${eventMs} ms`);
    } finally {
      limit.arrived();
    }
  }

  protected async leave(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    const source = await this.#begun?.catch(() => undefined);
    await source?.return();
  }

  #end(): void {
    this.#isOver = true;
    this.#limit?.end();
  }
}

/**
 * The caller's signal and a deadline as one signal. Ended by hand: `AbortSignal.timeout` would keep its timer for
 * minutes after a call of a millisecond.
 */
class CallLimit {
  /** The caller's own where there is no deadline. */
  readonly signal: AbortSignal | undefined;
  readonly #given: AbortSignal | undefined;
  readonly #ms: number | undefined;
  readonly #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting = 0;
  #isLate = false;
  #isOver = false;

  /** `ms`: that the far side may be waited for. */
  constructor(given: AbortSignal | undefined, ms: number | undefined) {
    this.#given = given;
    this.#ms = ms;
    this.signal = given;
    if (ms === undefined) return;
    this.#controller = new AbortController();
    this.signal = this.#controller.signal;
    if (given?.aborted) this.#abort();
    given?.addEventListener("abort", this.#abort, { once: true });
  }

  /** The caller waits. */
  wait(): void {
    if (this.#waiting++ === 0) this.#start();
  }

  /** What one waited for is there. */
  arrived(): void {
    clearTimeout(this.#timer);
    if (--this.#waiting > 0 && !this.#isOver) this.#start();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#given?.removeEventListener("abort", this.#abort);
  }

  /** What a failure under this limit means; `late`: what its deadline says. */
  errorOf(error: unknown, where: string, late: string): WeftError {
    if (this.#given?.aborted) return abortError(this.#given);
    return this.#isLate
      ? new WeftError("deadline_exceeded", `${where}: ${late}.`)
      : toWeftError(error, where);
  }

  #start(): void {
    if (this.#ms === undefined) return;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#controller?.abort();
    }, this.#ms);
  }

  readonly #abort = (): void => this.#controller?.abort(this.#given?.reason);
}
