/**
 * Job: spans in memory, for tests.
 * Owns: the sinks it added, and tracing itself when it had to start it.
 * I1. Tracing that a capture started ends with the last capture.
 */
import { propagation } from "@opentelemetry/api";
import type { Attributes } from "@opentelemetry/api";
import { StrictPropagator } from "./context/strict-propagator.ts";
import { configureContent, contentSettings } from "./content/content-settings.ts";
import { withoutDeferral } from "./content/deferred-text.ts";
import { WeftError } from "./errors/weft-error.ts";
import { registerContextManager } from "./context/active-context.ts";
import { changeRecord } from "./spans/change-record.ts";
import { ownProvider, registerProvider, unregisterProvider } from "./spans/current-tracer.ts";
import type { SpanRecord } from "./spans/span-record.ts";
import { WeftTracerProvider } from "./spans/weft-tracer-provider.ts";

/** Its texts are all made. */
export type CapturedSpan = SpanRecord;

export interface SpanCapture extends Disposable {
  /** The ended spans so far, in the order of their ends. */
  spans(): readonly CapturedSpan[];
}

let started: WeftTracerProvider | undefined;
let captures = 0;
let ownPropagator = false;

/** Keeps every span that ends from now on. Where nothing traces it starts tracing in memory, content included. */
export function captureSpans(): SpanCapture {
  const provider = ownProvider() ?? startInMemory();
  const spans: CapturedSpan[] = [];
  const sink = { onEnd: (record: SpanRecord): void => void spans.push(withTexts(record)) };
  provider.addSink(sink);
  if (provider === started) captures += 1;
  let open = true;
  return {
    spans: () => [...spans],
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      provider.removeSink(sink);
      if (provider === started && --captures === 0) stopInMemory();
    },
  };
}

function withTexts(record: SpanRecord): CapturedSpan {
  const entries = Object.entries(record.attributes).map(([key, value]) => [key, withoutDeferral(value)]);
  return changeRecord(record, { attributes: Object.fromEntries(entries) as Attributes });
}

function startInMemory(): WeftTracerProvider {
  const provider = new WeftTracerProvider();
  if (!registerProvider(provider)) {
    throw new WeftError(
      "failed_precondition",
      "Another OpenTelemetry SDK traces this process; read the spans from its exporter.",
    );
  }
  registerContextManager();
  ownPropagator = propagation.setGlobalPropagator(new StrictPropagator());
  if (contentSettings().policy === "none" && process.env["WEFT_CONTENT"] === undefined)
    configureContent({ policy: "delta" });
  started = provider;
  return provider;
}

function stopInMemory(): void {
  if (started !== undefined) unregisterProvider(started);
  started = undefined;
  if (ownPropagator) propagation.disable();
  configureContent(undefined);
}
