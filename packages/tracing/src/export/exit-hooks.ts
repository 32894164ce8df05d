/**
 * Job: a last flush when the process ends: by itself, by a signal, by an error that nobody caught, by `process.exit`.
 * Owns: those hooks while tracing runs.
 * Does not own: the end itself, or the order among Weft's own stops (`process/stop-signals.ts`). It never calls
 * `process.exit`; an error that nobody else handles takes its course after the flush, with the same exit code and message.
 */
import process from "node:process";
import { isMainThread } from "node:worker_threads";
import { onStopSignal } from "../process/stop-signals.ts";

export interface ExitWork {
  /** Must be bounded and must not reject. False when something is left. */
  readonly flush: () => Promise<boolean>;
  /** In the `exit` event: what can be done without waiting. */
  readonly finish: () => void;
  /** Whether an uncaught error waits for a flush. With a spool it need not: everything is safe already. */
  readonly flushOnError: boolean;
}

/** Returns how to take the hooks away. */
export function installExitHooks({ flush, finish, flushOnError }: ExitWork): () => void {
  let gaveUp = false;
  const onBeforeExit = (): void => {
    if (!gaveUp) void flush().then((done) => (gaveUp = !done));
  };
  const onExit = (): void => finish();
  const onError = createErrorHook(flush);
  process.on("beforeExit", onBeforeExit);
  process.on("exit", onExit);
  if (isMainThread && flushOnError) process.on("uncaughtException", onError);
  const forgetSignals = onStopSignal("flush", flush, finish);
  return () => {
    process.off("beforeExit", onBeforeExit);
    process.off("exit", onExit);
    process.off("uncaughtException", onError);
    forgetSignals();
  };
}

function createErrorHook(flush: () => Promise<boolean>): (thrown: unknown) => void {
  let isWaiting = false;
  const onError = (thrown: unknown): void => {
    if (process.listenerCount("uncaughtException") > 1) return;
    const takeItsCourse = (): void => {
      process.off("uncaughtException", onError);
      // Out of every promise, so that the process dies of the error itself.
      setImmediate(() => {
        throw thrown;
      });
    };
    // A second error while the first one waits: no more waiting.
    if (isWaiting) return takeItsCourse();
    isWaiting = true;
    void flush().then(takeItsCourse);
  };
  return onError;
}
