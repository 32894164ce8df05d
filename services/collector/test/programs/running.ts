/** Traces into a collector until it is killed or told to end. Its first argument names what it does. */
import { once } from "node:events";
import process from "node:process";
import { startSpan, withSpan } from "@weft/tracing";
import { notePartialText } from "@weft/tracing/internal";
import { startTracing } from "@weft/tracing/node";

const [mode = "open-root", count = "0"] = process.argv.slice(2);
const tracing = startTracing({ serviceName: "desk", content: "delta", shutdownTimeoutMs: 60_000 });

if (mode === "burst-kill") {
  for (let index = 0; index < Number(count); index += 1) startSpan(`span ${index}`).end();
  setImmediate(() => process.kill(process.pid, "SIGKILL"));
} else if (mode === "natural") {
  process.stdout.write(`${startSpan("root").traceId}\n`);
  await once(process.stdin, "data");
  process.stdin.destroy();
} else if (mode === "exit") {
  startSpan("ended").end();
  await tracing.flush();
  process.stdout.write(`${startSpan("root").traceId}\n`);
  await once(process.stdin, "data");
  process.exit(0);
} else if (mode === "open-root") {
  await withSpan("root", async (span) => {
    await withSpan("child", async () => {});
    const inner = startSpan("answer");
    notePartialText(inner, "Once upon ");
    notePartialText(inner, "a time");
    for (let index = 0; index < Number(count); index += 1) startSpan(`step ${index}`).end();
    process.stdout.write(`${span.traceId}\n`);
    await once(process.stdin, "data");
    inner.end();
  });
  await tracing.shutdown();
  process.exit(0);
}
if (mode !== "natural") setInterval(() => {}, 1000);
