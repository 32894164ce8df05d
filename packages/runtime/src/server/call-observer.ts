import { metrics } from "@opentelemetry/api";
import type { Counter, Histogram, UpDownCounter } from "@opentelemetry/api";
import type { ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { Attr, Metrics } from "@weft/tracing/vocabulary";
import type { A2AMethod } from "../a2a/call-attributes.ts";
import { codeOfWireError } from "../a2a/wire-errors.ts";
import { callStateOf } from "../task/call-state.ts";
import type { Logger } from "./logger.ts";

/** What is known of a call where it is observed. */
export interface ObservedCall {
  readonly method: A2AMethod;
  readonly context: ServerCallContext;
  readonly traceId: string;
  readonly spanId: string;
}

/** Codes that are the service's fault, or a sign of trouble; the rest are the caller's. */
const serviceCodes: ReadonlySet<string> = new Set([
  "internal",
  "model_failed",
  "tool_failed",
  "missing_dependency",
  "invalid_card",
]);

/** One log line and one measurement for each call, whatever the binding. */
export class CallObserver {
  readonly #logger: Logger | undefined;
  readonly #duration: Histogram;
  readonly #open: UpDownCounter;
  readonly #errors: Counter;

  /** The meter is the one that is registered now: set up OpenTelemetry's metrics before the service. */
  constructor(logger?: Logger) {
    this.#logger = logger;
    const meter = metrics.getMeter("@weft/runtime");
    this.#duration = meter.createHistogram(Metrics.a2aServerDuration, { unit: "s" });
    this.#open = meter.createUpDownCounter(Metrics.a2aServerOpen, { unit: "{call}" });
    this.#errors = meter.createCounter(Metrics.a2aServerErrors, { unit: "{error}" });
  }

  /** A call begins; the returned function tells its end, once. */
  begin(call: ObservedCall): (error?: unknown) => void {
    const { binding } = callStateOf(call.context);
    const attributes = { [Attr.a2aMethodName]: call.method, [Attr.a2aBinding]: binding };
    const start = performance.now();
    this.#open.add(1, attributes);
    let isOpen = true;
    return (error) => {
      if (!isOpen) return;
      isOpen = false;
      const seconds = (performance.now() - start) / 1_000;
      const code = error === undefined ? undefined : codeOf(error);
      const ended = code === undefined ? attributes : { ...attributes, [Attr.errorType]: code };
      this.#open.add(-1, attributes);
      this.#duration.record(seconds, ended);
      if (code !== undefined) this.#errors.add(1, ended);
      if (this.#logger) log(this.#logger, call, { seconds, code, error, binding });
    };
  }
}

function codeOf(error: unknown): string {
  const code = codeOfWireError(error);
  return code === "internal" ? WeftError.from(error).code : code;
}

function log(
  logger: Logger,
  call: ObservedCall,
  end: { seconds: number; code: string | undefined; error: unknown; binding: string },
): void {
  const { method, traceId, spanId, context } = call;
  const fields = {
    trace_id: traceId,
    span_id: spanId,
    method,
    binding: end.binding,
    caller: context.user?.userName ?? "",
    durationMs: Math.round(end.seconds * 1_000_000) / 1_000,
  };
  if (end.code === undefined) logger.info(fields, "call answered");
  else if (serviceCodes.has(end.code))
    logger.error({ ...fields, code: end.code, err: end.error }, "call failed");
  else logger.warn({ ...fields, code: end.code }, "call refused");
}
