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

/** Ids of one trace. */
class TraceIds {
  readonly traceId: string;
  ids: string[] | Set<string>;

  constructor(traceId: string, id: string) {
    this.traceId = traceId;
    this.ids = [id];
  }

  has(id: string): boolean {
    return Array.isArray(this.ids) ? this.ids.includes(id) : this.ids.has(id);
  }

  add(id: string): void {
    if (Array.isArray(this.ids)) {
      if (this.ids.push(id) > fewIds) this.ids = new Set(this.ids);
      return;
    }
    if (this.ids.size >= maxIdsPerTrace) this.ids.clear();
    this.ids.add(id);
  }

  delete(id: string): void {
    if (Array.isArray(this.ids)) this.ids = this.ids.filter((other) => other !== id);
    else this.ids.delete(id);
  }
}

/**
 * Traces used since the last time that there were too many, and those used before: to forget these is to let go of one map. By a number,
 * which is found without a look at the strings of the others; of two traces that have the same one, the former is forgotten.
 */
let young = new Map<number, TraceIds>();
let old = new Map<number, TraceIds>();

export function claim(traceId: string, id: string): boolean {
  const key = keyOf(traceId);
  const known = young.get(key) ?? old.get(key);
  if (known?.traceId !== traceId) {
    remember(key, new TraceIds(traceId, id));
    return true;
  }
  // What is used is young again.
  remember(key, known);
  if (known.has(id)) return false;
  known.add(id);
  return true;
}

export function isRecorded(traceId: string, id: string): boolean {
  return find(traceId)?.has(id) === true;
}

/** For a text that did not make it onto the span after all. */
export function release(traceId: string, id: string): void {
  find(traceId)?.delete(id);
}

/** As a process knows that has just begun. */
export function forgetRecorded(): void {
  young = new Map();
  old = new Map();
}

function find(traceId: string): TraceIds | undefined {
  const key = keyOf(traceId);
  const known = young.get(key) ?? old.get(key);
  return known?.traceId === traceId ? known : undefined;
}

function remember(key: number, trace: TraceIds): void {
  if (young.size >= maxTraces && !young.has(key)) {
    old = young;
    young = new Map();
  }
  young.set(key, trace);
}

/** Of the last digits, which are the random ones. */
function keyOf(traceId: string): number {
  let key = 0;
  for (let at = Math.max(0, traceId.length - 12); at < traceId.length; at += 1)
    key = Math.imul(key, 31) + traceId.charCodeAt(at);
  return key | 0;
}
