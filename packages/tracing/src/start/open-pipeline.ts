import type { Attributes } from "@opentelemetry/api";
import { Pipeline } from "../export/pipeline.ts";
import { schemaUrl } from "../vocabulary.ts";
import type { Destination } from "./destinations.ts";
import type { TracingOptions } from "./tracing-options.ts";
import { warnAtExit, warnOnce } from "./warn-once.ts";

/** A burst of 100,000 small spans fits. */
const defaultQueue = { maxSpans: 131_072, maxBytes: 128 * 1024 * 1024 };
const defaultSpoolBytes = 512 * 1024 * 1024;

export type ExportOptions = Pick<TracingOptions, "queue" | "spool" | "giveUpMs">;

export function openPipeline(
  destinations: readonly Destination[],
  resource: Attributes,
  options: ExportOptions,
  environment: NodeJS.ProcessEnv,
): Pipeline {
  const spool = options.spool ?? (environment["WEFT_SPOOL"]?.trim() || undefined);
  const settings = typeof spool === "string" ? { folder: spool } : spool;
  return new Pipeline({
    destinations,
    resource,
    schemaUrl,
    queue: { ...defaultQueue, ...options.queue },
    spool: settings === undefined ? undefined : { maxBytes: defaultSpoolBytes, ...settings },
    giveUpMs: options.giveUpMs ?? 120_000,
    warn: warnOnce,
    lastWarn: warnAtExit,
  });
}
