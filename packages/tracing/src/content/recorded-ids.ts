/**
 * Job: know which texts this process has recorded in which trace.
 * Owns: a bounded memory of ids per trace; the trace unused longest is forgotten first.
 * I1. `claim` says yes once per trace and id, until it is forgotten or released: forgotten means recorded again, never missing.
 */
const maxTraces = 1000;
const maxIdsPerTrace = 50_000;

const traces = new Map<string, Set<string>>();
let latestTrace = "";
let latestIds: Set<string> = new Set();

export function claim(traceId: string, id: string): boolean {
  const ids = idsOf(traceId);
  if (ids.has(id)) return false;
  if (ids.size >= maxIdsPerTrace) ids.clear();
  ids.add(id);
  return true;
}

export function isRecorded(traceId: string, id: string): boolean {
  return traces.get(traceId)?.has(id) === true;
}

/** For a text that did not make it onto the span after all. */
export function release(traceId: string, id: string): void {
  traces.get(traceId)?.delete(id);
}

/** As a process knows that has just begun. */
export function forgetRecorded(): void {
  traces.clear();
  latestTrace = "";
  latestIds = new Set();
}

function idsOf(traceId: string): Set<string> {
  if (traceId === latestTrace) return latestIds;
  const ids = traces.get(traceId) ?? new Set<string>();
  traces.delete(traceId);
  traces.set(traceId, ids);
  if (traces.size > maxTraces) {
    for (const oldest of traces.keys()) {
      traces.delete(oldest);
      break;
    }
  }
  latestTrace = traceId;
  latestIds = ids;
  return ids;
}
