/** Ends `count` spans of `bytes` bytes, as attribute and once more as inputs, and then itself, in the way that its first argument names. */
import process from "node:process";
import { startSpan } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

const [mode = "natural", count = "100", bytes = "0"] = process.argv.slice(2);
const giveUp = process.env["TEST_GIVE_UP_MS"];
const shutdown = process.env["TEST_SHUTDOWN_MS"];
startTracing({
  serviceName: "loss",
  contentBudget: { attributeBytes: 64 << 20, spanBytes: 64 << 20 },
  ...(giveUp === undefined ? {} : { giveUpMs: Number(giveUp) }),
  ...(shutdown === undefined ? {} : { shutdownTimeoutMs: Number(shutdown) }),
});
const text = "x".repeat(Number(bytes));
const open = mode === "sigkill-open" ? [startSpan("open root")] : [];
for (let index = 0; index < Number(count); index += 1) {
  startSpan({
    name: `span ${index}`,
    attributes: { text },
    ...(text === "" ? {} : { inputs: { text } }),
  }).end();
}

/** Runs in the next turn of the event loop at the earliest, before any timer or answer of tracing can matter. */
const nextTurn = (fn: () => void): void => void setImmediate(fn);

switch (mode) {
  case "natural":
    break;
  case "exit":
    process.exit(3);
    break;
  case "throw":
    throw new TypeError("thrown on purpose");
  case "reject":
    void Promise.reject(new TypeError("rejected on purpose"));
    break;
  case "sigkill":
  case "sigkill-open":
    nextTurn(() => process.kill(process.pid, "SIGKILL"));
    setInterval(() => open.length, 1000);
    break;
  case "timer-sigkill":
    // A span that ends in the check phase, and a death in the timer phase right after it.
    setImmediate(() => {
      startSpan("in the check phase").end();
      setTimeout(() => process.kill(process.pid, "SIGKILL"), 0);
    });
    setInterval(() => {}, 1000);
    break;
  case "wait":
    setInterval(() => {}, 1000);
    process.stdout.write("ready");
    break;
  default:
    process.stdout.write("unknown mode");
}
