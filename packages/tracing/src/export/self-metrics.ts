/**
 * What became of spans, as OpenTelemetry metrics, when the application has a MeterProvider.
 * https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
 */
import { metrics } from "@opentelemetry/api";
import type { BatchObservableResult, Observable } from "@opentelemetry/api";
import { Attr } from "../vocabulary.ts";
import { libraryName, version } from "../version.ts";
import type { TracingStats } from "./tracing-stats.ts";

/** The MeterProvider must be registered before tracing starts. Returns how to stop. */
export function reportMetrics(stats: () => TracingStats): () => void {
  const meter = metrics.getMeter(libraryName, version);
  const unit = { unit: "{span}" };
  const ended = meter.createObservableCounter("otel.sdk.processor.span.processed", unit);
  const exported = meter.createObservableCounter("otel.sdk.exporter.span.exported", unit);
  const waiting = meter.createObservableUpDownCounter("otel.sdk.processor.span.queue.size", unit);
  const observables: Observable[] = [ended, exported, waiting];
  const observe = (result: BatchObservableResult): void => {
    const now = stats();
    result.observe(ended, now.ended - now.dropped);
    result.observe(ended, now.dropped, { [Attr.errorType]: "dropped" });
    for (const { url, delivered, dropped, queued } of now.destinations) {
      const attributes = { [Attr.serverAddress]: new URL(url).hostname };
      result.observe(exported, delivered, attributes);
      result.observe(exported, dropped, { ...attributes, [Attr.errorType]: "rejected" });
      result.observe(waiting, queued, attributes);
    }
  };
  meter.addBatchObservableCallback(observe, observables);
  return () => meter.removeBatchObservableCallback(observe, observables);
}
