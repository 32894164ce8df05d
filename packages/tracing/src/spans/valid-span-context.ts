import { trace } from "@opentelemetry/api";
import type { Context, SpanContext } from "@opentelemetry/api";
import { RemoteSpanContext } from "../context/remote-span-context.ts";
import { RecordingSpan } from "./recording-span.ts";

/** Of the span in `context`, if it is valid. */
export function validSpanContext(context: Context): SpanContext | undefined {
  const span = trace.getSpan(context);
  const spanContext = span?.spanContext();
  // What we made or read ourselves need not be looked at digit by digit.
  if (spanContext === undefined || span instanceof RecordingSpan || spanContext instanceof RemoteSpanContext)
    return spanContext;
  return trace.isSpanContextValid(spanContext) ? spanContext : undefined;
}
