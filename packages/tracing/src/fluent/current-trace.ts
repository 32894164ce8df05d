import { trace } from "@opentelemetry/api";
import type { Attributes } from "@opentelemetry/api";
import { recordText } from "../content/record-value.ts";
import { activeContext, runInContext } from "../context/active-context.ts";
import { withInheritedAttributes } from "../context/inherited.ts";
import { setTracingEnabled } from "../spans/current-tracer.ts";
import { runningTracing } from "../start/running-tracing.ts";
import { Attr, tagPrefix } from "../vocabulary.ts";

export interface TraceUpdate {
  readonly tags?: Readonly<Record<string, string>>;
  /** The session that the trace belongs to: `session.id`. */
  readonly sessionId?: string;
  /** Whom the trace is about: `user.id`. */
  readonly userId?: string;
  /** What lists show of the request, under the content policy. */
  readonly requestPreview?: string;
  readonly responsePreview?: string;
}

/** Says something about the whole trace, on the active span; without one it does nothing. */
export function updateCurrentTrace(update: TraceUpdate): void {
  const span = trace.getSpan(activeContext());
  if (span === undefined || !span.isRecording()) return;
  span.setAttributes(toAttributes(update));
  if (update.requestPreview !== undefined) recordText(span, Attr.requestPreview, update.requestPreview);
  if (update.responsePreview !== undefined) recordText(span, Attr.responsePreview, update.responsePreview);
}

export interface PropagatedAttributes {
  readonly sessionId?: string;
  readonly userId?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly attributes?: Attributes;
}

/** Every span that starts in `fn`, and in what it awaits, gets these attributes. They stay in this process. */
export function propagateAttributes<T>(propagated: PropagatedAttributes, fn: () => T): T {
  const attributes = { ...toAttributes(propagated), ...propagated.attributes };
  return runInContext(withInheritedAttributes(activeContext(), attributes), fn);
}

function toAttributes(update: Pick<TraceUpdate, "tags" | "sessionId" | "userId">): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(update.tags ?? {})) attributes[tagPrefix + key] = value;
  if (update.sessionId !== undefined) attributes[Attr.sessionId] = update.sessionId;
  if (update.userId !== undefined) attributes[Attr.userId] = update.userId;
  return attributes;
}

/** Waits until the spans that ended before the call have left the process; bounded by startTracing's timeout. */
export async function flushTraces(): Promise<void> {
  await runningTracing()?.tracing.flush();
}

export function enableTracing(): void {
  setTracingEnabled(true);
}

/** From now on no span is recorded; context still passes on. */
export function disableTracing(): void {
  setTracingEnabled(false);
}
