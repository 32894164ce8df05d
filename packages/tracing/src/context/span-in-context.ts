import { trace } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import { activeContext } from "./active-context.ts";

/** The trace that `context` belongs to, recorded here or not. */
export function traceIdOf(context: Context = activeContext()): string | undefined {
  const spanContext = trace.getSpanContext(context);
  return spanContext !== undefined && trace.isSpanContextValid(spanContext) ? spanContext.traceId : undefined;
}

/** Whether what is set on the active span is kept. Ask before making something costly. */
export function isRecording(context: Context = activeContext()): boolean {
  return trace.getSpan(context)?.isRecording() === true;
}
