/** An application whose own SDK was set up with an older copy of OpenTelemetry's api than Weft's. */
import process from "node:process";
import { trace as older } from "otel-api-1.9";
import { withSpan } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

const theirs = { getTracer: () => older.getTracer("none") };
older.setGlobalTracerProvider(theirs);
const global = Reflect.get(globalThis, Symbol.for("opentelemetry.js.api.1")) as { trace: unknown };
const registered = global.trace;
{
  await using _ = startTracing({ serviceName: "skewed" });
  withSpan("ours", () => {});
}
process.stdout.write(String(global.trace === registered));
