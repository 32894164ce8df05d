/**
 * Job: know which texts this process has recorded in which trace.
 * Owns: a bounded memory of ids per trace; traces that were not used for long are forgotten.
 * I1. `claim` says yes once per trace and id, until it is forgotten or released: forgotten means recorded again, never missing.
 * I2. A trace is kept as long as fewer than `maxTraces` others are used.
 */
const maxTraces = 1000;
const maxIdsPerTrace = 50_000;
/** Up to so many ids are looked through one by one: most traces of a service have two or three. */
const fewIds = 8;

type Ids = string[] | Set<string>;

/** Traces used since the last time that there were too many, and those used before: to forget these is to let go of one map. */
let young = new Map<string, Ids>();
let old = new Map<string, Ids>();

export function claim(traceId: string, id: string): boolean {
  const ids = idsOf(traceId);
  if (ids === undefined) {
    remember(traceId, [id]);
    return true;
  }
  if (has(ids, id)) return false;
  add(traceId, ids, id);
  return true;
}

export function isRecorded(traceId: string, id: string): boolean {
  const ids = young.get(traceId) ?? old.get(traceId);
  return ids !== undefined && has(ids, id);
}

/** For a text that did not make it onto the span after all. */
export function release(traceId: string, id: string): void {
  const ids = young.get(traceId) ?? old.get(traceId);
  if (ids instanceof Set) ids.delete(id);
  else if (ids?.includes(id)) ids.splice(ids.indexOf(id), 1);
}

/** As a process knows that has just begun. */
export function forgetRecorded(): void {
  young = new Map();
  old = new Map();
}

/** What is used is young again. */
function idsOf(traceId: string): Ids | undefined {
  const ids = young.get(traceId);
  if (ids !== undefined) return ids;
  const before = old.get(traceId);
  if (before !== undefined) remember(traceId, before);
  return before;
}

function remember(traceId: string, ids: Ids): void {
  if (young.size >= maxTraces) {
    old = young;
    young = new Map();
  }
  young.set(traceId, ids);
}

function has(ids: Ids, id: string): boolean {
  return ids instanceof Set ? ids.has(id) : ids.includes(id);
}

function add(traceId: string, ids: Ids, id: string): void {
  if (ids instanceof Set) {
    if (ids.size >= maxIdsPerTrace) ids.clear();
    ids.add(id);
  } else if (ids.push(id) > fewIds) young.set(traceId, new Set(ids));
}
