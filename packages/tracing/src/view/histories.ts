/**
 * The histories of a trace: which message stands at which place, as spans said it in `weft.history.appends`. An append is
 * `<history>:<place>=<message id>`; a mirrored run is `<history>:<from>-<to>=<other>:<from>-<to>`, both ends included.
 */

export interface Place {
  readonly history: string;
  readonly place: number;
}

interface Run {
  readonly history: string;
  readonly first: number;
  readonly last: number;
}

interface Append<T> {
  readonly messageId: string;
  readonly by: T;
}

/** Longer runs are not believed. */
const maxRun = 1_000_000;
/** A mirror of a mirror is followed this far; the bound ends circles. */
const maxHops = 32;

/** `T` is who appended. */
export class Histories<T> {
  readonly #appends = new Map<string, Append<T>>();
  readonly #mirrors = new Map<string, { readonly to: Run; readonly from: Run }[]>();

  /** What is no entry is passed over. Of two appends to one place the later call counts: a takeover writes it again. */
  add(entry: string, by: T): void {
    const append = /^([^:=]+):(\d{1,9})=(.+)$/s.exec(entry);
    if (append !== null) {
      this.#appends.set(`${append[1]}:${Number(append[2])}`, { messageId: append[3] ?? "", by });
      return;
    }
    const at = entry.indexOf("=");
    const to = parseRun(entry.slice(0, at));
    const from = parseRun(entry.slice(at + 1));
    if (to === undefined || from === undefined) return;
    this.#mirrors.set(to.history, [...(this.#mirrors.get(to.history) ?? []), { to, from }]);
  }

  at(asked: Place): Append<T> | undefined {
    let { history, place } = asked;
    for (let hops = 0; hops < maxHops; hops += 1) {
      const own = this.#appends.get(`${history}:${place}`);
      if (own !== undefined) return own;
      const run = this.#mirrors.get(history)?.find(({ to }) => to.first <= place && place <= to.last);
      if (run === undefined) return undefined;
      place = run.from.first + place - run.to.first;
      history = run.from.history;
    }
    return undefined;
  }
}

/** The places that an entry of `weft.context` names; undefined when it is no run. */
export function placesOf(entry: string): readonly Place[] | undefined {
  const run = parseRun(entry);
  if (run === undefined) return undefined;
  return Array.from({ length: run.last - run.first + 1 }, (_, at) => ({
    history: run.history,
    place: run.first + at,
  }));
}

function parseRun(text: string): Run | undefined {
  const match = /^([^:=]+):(\d{1,9})-(\d{1,9})$/.exec(text);
  if (match === null) return undefined;
  const run = { history: match[1] ?? "", first: Number(match[2]), last: Number(match[3]) };
  return run.last < run.first || run.last - run.first > maxRun ? undefined : run;
}
