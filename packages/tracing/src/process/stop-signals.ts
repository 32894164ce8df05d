/*
 * Stop signals: what Weft does at SIGTERM and SIGINT, in one place for the whole process.
 *
 * Job: at the first signal drains what serves, then flushes what traces, then lets the signal take its course.
 * Owns: one listener per signal while anything is registered.
 * Does not own: the end itself. It never calls `process.exit`, and it leaves the end to whoever else listens.
 *
 * I1  Draining comes before flushing: the spans of what drains are flushed too.
 * I2  The signal is raised again only when all that is done, and only if nobody else listens: others have heard it.
 * I3  A second signal is somebody who does not want to wait: it takes its course at once.
 */
import process from "node:process";
import { isMainThread } from "node:worker_threads";

/** `drain` finishes work, `flush` sends what that work left behind. */
export type StopPhase = "drain" | "flush";

interface Stop {
  readonly phase: StopPhase;
  readonly run: () => Promise<unknown>;
  readonly last: (() => void) | undefined;
}

const signals = ["SIGTERM", "SIGINT"] as const;
const phases: readonly StopPhase[] = ["drain", "flush"];
const stops = new Set<Stop>();
let stopping = false;

/**
 * Runs `run`, which must be bounded in time, at the first SIGTERM or SIGINT, and `last` right before the signal takes
 * its course. Returns how to take it back, which `run` itself may call. A worker thread gets no signals: there it does
 * nothing.
 */
export function onStopSignal(phase: StopPhase, run: () => Promise<unknown>, last?: () => void): () => void {
  if (!isMainThread) return () => {};
  if (stops.size === 0) listen();
  const stop: Stop = { phase, run, last };
  stops.add(stop);
  return () => {
    if (stops.delete(stop) && stops.size === 0 && !stopping) unlisten();
  };
}

function onSignal(signal: NodeJS.Signals): void {
  const isAlone = process.listenerCount(signal) === 1;
  if (stopping) {
    if (isAlone) takeItsCourse(signal);
    return;
  }
  stopping = true;
  void stopAll().then(() => {
    stopping = false;
    if (isAlone) takeItsCourse(signal);
    else if (stops.size === 0) unlisten();
  });
}

async function stopAll(): Promise<void> {
  for (const phase of phases) {
    const due = [...stops].filter((stop) => stop.phase === phase);
    await Promise.allSettled(due.map(async (stop) => stop.run()));
  }
}

function takeItsCourse(signal: NodeJS.Signals): void {
  unlisten();
  for (const { last } of stops) last?.();
  process.kill(process.pid, signal);
}

/** In front of all others: a listener for once is gone from the list when its own turn has come. */
function listen(): void {
  for (const signal of signals) process.prependListener(signal, onSignal);
}

function unlisten(): void {
  for (const signal of signals) process.off(signal, onSignal);
}
