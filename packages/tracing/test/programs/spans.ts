/** Makes spans and ends in the way that its first argument names. */
import process from "node:process";
import { getLastActiveTraceId, startSpan, withSpan } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

const [mode = "natural", count = "100"] = process.argv.slice(2);
const tracing = startTracing();
for (let index = 0; index < Number(count); index += 1) startSpan(`span ${index}`).end();

switch (mode) {
  case "natural":
    break;
  case "using": {
    await using _ = tracing;
    break;
  }
  case "flush":
    await tracing.flush();
    process.stdout.write("flushed");
    break;
  case "shutdown":
    await tracing.shutdown();
    break;
  case "wait":
    setInterval(() => {}, 1000);
    process.stdout.write("ready");
    break;
  case "own-handler":
    setInterval(() => {}, 1000);
    process.on("SIGTERM", () => setTimeout(() => process.exit(7), 300));
    process.stdout.write("ready");
    break;
  case "nested":
    await withSpan({ name: "outer", inputs: { secret: "sesame" } }, async (span) => {
      span.setOutputs("done");
      await withSpan("inner", async () => {});
    });
    process.stdout.write(getLastActiveTraceId() ?? "");
    break;
  default:
    process.stdout.write("unknown mode");
}
