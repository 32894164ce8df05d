/** A worker thread that continues the trace whose strings it was started with, and posts the span it made. */
import { setImmediate as immediate } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { extract, withSpan } from "@weft/tracing";
import { captureSpans } from "@weft/tracing/internal";

using capture = captureSpans();
await withSpan({ name: "in the worker", parent: extract(workerData as Record<string, string>) }, () =>
  immediate(),
);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker threads has no origin
parentPort?.postMessage(structuredClone({ ...capture.spans()[0], scope: undefined }));
