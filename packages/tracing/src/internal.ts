/** For Weft's own packages. Not covered by semantic versioning. */
export {
  newMessageId,
  recordInput,
  recordOutput,
  recordSystem,
  recordTools,
  recordSummary,
  recordToolCall,
  describeContext,
  describeAppends,
} from "./content/record-content.ts";
export { recordText, recordValue } from "./content/record-value.ts";
export { notePartialText } from "./live/partial-text.ts";
export { contentSettings } from "./content/content-settings.ts";
export { errorText, errorType } from "./content/error-text.ts";
export { isErrorCode } from "./errors/weft-error.ts";
export { instrument, openSpan, isAbort, failSpan } from "./spans/open-span.ts";
export { newShortId, newSpanId } from "./spans/random-ids.ts";
export {
  activeContext,
  runInContext,
  suppressTracing,
  isTracingSuppressed,
} from "./context/active-context.ts";
export { contextWithValue } from "./context/context-with-span.ts";
export { bindGenerator } from "./context/bind-generator.ts";
export { setConversation, conversationOf } from "./context/inherited.ts";
export { injectCarrier, acceptCarrier, readRemote, contextFrom } from "./context/carrier.ts";
export { traceIdOf, isRecording } from "./context/span-in-context.ts";
export { onStopSignal } from "./process/stop-signals.ts";
export { IdleLimit } from "./spans/idle-limit.ts";
export { parseToolAnswer } from "./content/tool-answer.ts";
export { Histories, parseAppend } from "./view/histories.ts";
export { ToolMessages } from "./view/tool-messages.ts";
export {
  decodeResource,
  decodeScope,
  decodeSpan,
  maxValueDepth,
  readAnyValue,
  readStatus,
} from "./otlp/decode-span.ts";
export { malformed, ProtoReader, wire } from "./otlp/proto-reader.ts";
export { captureSpans } from "./capture-spans.ts";

export type {
  RecordableMessage,
  RecordableToolCall,
  RecordableToolResponse,
} from "./content/message-schema.ts";
export type { OpenSpan, SpanDefinition } from "./spans/open-span.ts";
export type { TokenUsage, WeftSpan } from "./spans/weft-span.ts";
export type {
  AcceptedContext,
  Carrier,
  HeaderGetter,
  HeaderSource,
  HeaderValue,
  InboundPolicy,
} from "./context/carrier.ts";
export type { CapturedSpan, SpanCapture } from "./capture-spans.ts";
export type { Outcome } from "./vocabulary.ts";
export type { Attributes, Context, Link, Span, SpanContext } from "@opentelemetry/api";
export { SpanKind, ROOT_CONTEXT } from "@opentelemetry/api";
