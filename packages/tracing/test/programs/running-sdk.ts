/** Started by services/collector/test/live-loss.test.ts: a root that stays open, where the application set up OpenTelemetry's SDK: with Weft's processor, or with nothing that exports. */
import { once } from "node:events";
import process from "node:process";
import { trace } from "@opentelemetry/api";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { withSpan } from "@weft/tracing";
import { startTracing, WeftSpanProcessor } from "@weft/tracing/node";

const processor = process.argv[2] === "processor" ? new WeftSpanProcessor() : undefined;
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: processor === undefined ? [] : [processor] }),
);
const tracing = processor ?? startTracing();
await withSpan("root", async (span) => {
  process.stdout.write(`${span.traceId}\n`);
  await once(process.stdin, "data");
});
await tracing.shutdown();
process.exit(0);
