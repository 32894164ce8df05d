/*
 * The end of a turn of the event loop.
 *
 * Job: writes the answers of one turn together, when all requests that had arrived were looked at.
 *
 * To write to a socket wakes whoever reads it, in another process, on another core, and that costs more than most answers:
 * the first of a batch pays it for all. An answer alone waits for nothing but its own turn's end.
 */
import { ROOT_CONTEXT, runInContext } from "@weft/tracing/internal";

let waiting: (() => void)[] = [];

/** Calls `write`, which must not throw, at the end of this turn. */
export function atTurnEnd(write: () => void): void {
  // No request's context: what runs then is of all of them.
  if (waiting.length === 0) runInContext(ROOT_CONTEXT, () => setImmediate(writeAll));
  waiting.push(write);
}

function writeAll(): void {
  const writes = waiting;
  waiting = [];
  for (const write of writes) write();
}
