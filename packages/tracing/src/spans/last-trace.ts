/**
 * Job: the trace that the running code began last.
 * Owns: that id for each line of execution, and the process's last one with the number of roots that are open.
 * I1. Of two traces at once none is mistaken for the other: who cannot know which was its own is told none.
 */
import { AsyncLocalStorage } from "node:async_hooks";

const own = new AsyncLocalStorage<string>();
let last: string | undefined;
let lastWasAlone = true;
let openRoots = 0;

/** A root of this process's tracer began. */
export function rootOpened(): void {
  openRoots += 1;
}

export function rootEnded(): void {
  openRoots -= 1;
}

/** Called where the root began: whoever awaits it, and goes on from there, has it as its last. */
export function noteRoot(traceId: string): void {
  own.enterWith(traceId);
  last = traceId;
  lastWasAlone = openRoots <= 1;
}

export function lastRootTraceId(): string | undefined {
  return own.getStore() ?? (lastWasAlone ? last : undefined);
}
