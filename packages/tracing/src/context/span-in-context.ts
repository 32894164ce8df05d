import { trace } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import { validSpanContext } from "../spans/valid-span-context.ts";
import { activeContext } from "./active-context.ts";

/** The trace that `context` belongs to, recorded here or not. */
export function traceIdOf(context: Context = activeContext()): string | undefined {
  return validSpanContext(context)?.traceId;
}

/** Whether what is set on the active span is kept. Ask before making something costly. */
export function isRecording(context: Context = activeContext()): boolean {
  return trace.getSpan(context)?.isRecording() === true;
}
