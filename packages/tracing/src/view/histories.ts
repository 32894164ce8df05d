/**
 * The histories of a trace: which message stands at which place, as spans said it in `weft.history.appends`, and what a model was sent,
 * as its span says it in `weft.context`.
 *
 * An append is `<history>:<place>=<message id>`; a mirrored run is `<history>:<from>-<to>=<other>:<from>-<to>`; an entry of a context is
 * `<history>:<from>-<to>` or `id:<message id>`. Runs include both ends.
 */

export interface Append {
  readonly history: string;
  readonly place: number;
  readonly messageId: string;
}

/** What a context names. */
export interface Named<T> {
  /** Undefined when nothing in the trace says what stands there. */
  readonly messageId: string | undefined;
  /** `h1:3`; undefined when the context names the message by its id. */
  readonly place: string | undefined;
  /** Who appended it; undefined where that is not known. */
  readonly by: T | undefined;
}

interface Run {
  readonly history: string;
  readonly first: number;
  readonly last: number;
}

/** Longer runs are not believed. */
const maxRun = 1_000_000;
/** A mirror of a mirror is followed this far; the bound ends circles. */
const maxHops = 32;

/** `T` is who appended. */
export class Histories<T> {
  readonly #appends = new Map<string, { readonly messageId: string; readonly by: T }>();
  readonly #mirrors = new Map<string, { readonly to: Run; readonly from: Run }[]>();

  /** What is no entry is passed over. Of two appends to one place the later call counts: a takeover writes it again. */
  add(entry: string, by: T): void {
    const append = parseAppend(entry);
    if (append !== undefined) {
      this.#appends.set(`${append.history}:${append.place}`, { messageId: append.messageId, by });
      return;
    }
    const at = entry.indexOf("=");
    const to = parseRun(entry.slice(0, at));
    const from = parseRun(entry.slice(at + 1));
    if (to === undefined || from === undefined) return;
    const mirrors = this.#mirrors.get(to.history);
    if (mirrors === undefined) this.#mirrors.set(to.history, [{ to, from }]);
    else mirrors.push({ to, from });
  }

  /** What an entry of `weft.context` names, in order; nothing when it is no entry. */
  *named(entry: string): Generator<Named<T>> {
    if (entry.startsWith("id:")) {
      yield { messageId: entry.slice(3), place: undefined, by: undefined };
      return;
    }
    const run = parseRun(entry);
    if (run === undefined) return;
    for (let place = run.first; place <= run.last; place += 1) {
      const append = this.#at(run.history, place);
      yield { messageId: append?.messageId, place: `${run.history}:${place}`, by: append?.by };
    }
  }

  #at(history: string, place: number): { readonly messageId: string; readonly by: T } | undefined {
    let at = { history, place };
    for (let hops = 0; hops < maxHops; hops += 1) {
      const { history, place } = at;
      const own = this.#appends.get(`${history}:${place}`);
      if (own !== undefined) return own;
      const run = this.#mirrors.get(history)?.find(({ to }) => to.first <= place && place <= to.last);
      if (run === undefined) return undefined;
      at = { history: run.from.history, place: run.from.first + place - run.to.first };
    }
    return undefined;
  }
}

/** Undefined for what is no append of one message. */
export function parseAppend(entry: string): Append | undefined {
  const match = /^([^:=]+):(\d{1,9})=(.+)$/s.exec(entry);
  if (match === null) return undefined;
  return { history: match[1] ?? "", place: Number(match[2]), messageId: match[3] ?? "" };
}

function parseRun(text: string): Run | undefined {
  const match = /^([^:=]+):(\d{1,9})-(\d{1,9})$/.exec(text);
  if (match === null) return undefined;
  const run = { history: match[1] ?? "", first: Number(match[2]), last: Number(match[3]) };
  return run.last < run.first || run.last - run.first > maxRun ? undefined : run;
}
