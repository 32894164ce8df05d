/**
 * Job: a last flush when the process ends by itself or by SIGTERM or SIGINT.
 * Owns: those hooks while tracing runs.
 * Does not own: the end itself, or the order among Weft's own stops (`process/stop-signals.ts`).
 */
import process from "node:process";
import { onStopSignal } from "../process/stop-signals.ts";

/** `flush` must be bounded and must not reject. Returns how to take the hooks away. */
export function installExitHooks(flush: () => Promise<boolean>): () => void {
  let gaveUp = false;
  const onBeforeExit = (): void => {
    if (!gaveUp) void flush().then((done) => (gaveUp = !done));
  };
  process.on("beforeExit", onBeforeExit);
  const forgetSignals = onStopSignal("flush", flush);
  return () => {
    process.off("beforeExit", onBeforeExit);
    forgetSignals();
  };
}
