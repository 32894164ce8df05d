export { trace } from "./fluent/trace.ts";
export { getCurrentActiveSpan, getLastActiveTraceId, startSpan, withSpan } from "./fluent/with-span.ts";
export {
  disableTracing,
  enableTracing,
  flushTraces,
  propagateAttributes,
  updateCurrentTrace,
} from "./fluent/current-trace.ts";
export { bindContext, extract, inject, withContext } from "./fluent/carriers.ts";
export { autolog } from "./autolog/autolog.ts";
export { redactors } from "./content/redactors.ts";
export { TraceClient } from "./client/trace-client.ts";
export { SpanType } from "./vocabulary.ts";
export { errorCodes } from "./errors/error-codes.ts";
export { WeftError } from "./errors/weft-error.ts";

export type { AnyFunction, TraceOptions } from "./fluent/trace.ts";
export type { SpanOptions } from "./fluent/span-options.ts";
export type { PropagatedAttributes, TraceUpdate } from "./fluent/current-trace.ts";
export type { ChildSpan, EndStatus, SpanEnd } from "./client/open-traces.ts";
export type { TraceClientOptions, TraceSearch, TraceStart } from "./client/trace-client.ts";
export type { StoredSpan, StoredTrace, TraceInfo } from "./client/stored-trace.ts";
export type { TraceList, TraceState, TraceSummary } from "./http.ts";
export type { AutologName, AutologOptions } from "./autolog/switches.ts";
export type { Redactor } from "./content/redactors.ts";
export type { HeaderGetter, HeaderSource, HeaderValue } from "./context/carrier.ts";
export type { TokenUsage, WeftSpan } from "./spans/weft-span.ts";
export type { WeftErrorCode } from "./errors/error-codes.ts";
export type { WeftErrorOptions } from "./errors/weft-error.ts";
