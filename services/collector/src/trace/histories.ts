/**
 * The histories of a trace: which message stands at which place, as spans said it (`weft.history.appends`), and what
 * a model was sent (`weft.context`).
 *
 * An append is `<history>:<place>=<message id>`; a mirrored run is `<history>:<from>-<to>=<other>:<from>-<to>`;
 * an entry of a context is `<history>:<from>-<to>` or `id:<message id>`. Runs include both ends.
 */
export type HistoryEntry =
  | { readonly kind: "append"; readonly history: string; readonly place: number; readonly messageId: string }
  | { readonly kind: "mirror"; readonly to: Run; readonly from: Run };

export interface Run {
  readonly history: string;
  readonly first: number;
  readonly last: number;
}

/** Longer runs are not believed. */
const maxRun = 1_000_000;

/** Undefined for text that is no entry. */
export function parseEntry(text: string): HistoryEntry | undefined {
  const append = /^([^:=]+):(\d{1,9})=(.+)$/s.exec(text);
  if (append !== null) {
    return { kind: "append", history: append[1] ?? "", place: Number(append[2]), messageId: append[3] ?? "" };
  }
  const at = text.indexOf("=");
  const to = parseRun(text.slice(0, at));
  const from = parseRun(text.slice(at + 1));
  return to === undefined || from === undefined ? undefined : { kind: "mirror", to, from };
}

function parseRun(text: string): Run | undefined {
  const match = /^([^:=]+):(\d{1,9})-(\d{1,9})$/.exec(text);
  if (match === null) return undefined;
  const run = { history: match[1] ?? "", first: Number(match[2]), last: Number(match[3]) };
  return run.last < run.first || run.last - run.first > maxRun ? undefined : run;
}

export class Histories {
  private readonly messages = new Map<string, string>();
  private readonly mirrors = new Map<string, { readonly to: Run; readonly from: Run }[]>();

  constructor(entries: Iterable<HistoryEntry>) {
    for (const entry of entries) {
      if (entry.kind === "append")
        this.messages.set(`${entry.history}:${String(entry.place)}`, entry.messageId);
      else {
        const runs = this.mirrors.get(entry.to.history) ?? [];
        runs.push(entry);
        this.mirrors.set(entry.to.history, runs);
      }
    }
  }

  /** The ids a context names, in order; places that nothing in the trace fills are left out. */
  resolve(context: readonly string[]): readonly string[] {
    return context.flatMap((entry) => {
      if (entry.startsWith("id:")) return [entry.slice(3)];
      const run = parseRun(entry);
      if (run === undefined) return [];
      const ids: string[] = [];
      for (let place = run.first; place <= run.last; place += 1) {
        const id = this.messageAt(run.history, place);
        if (id !== undefined) ids.push(id);
      }
      return ids;
    });
  }

  private messageAt(history: string, place: number): string | undefined {
    let at = { history, place };
    // A mirror of a mirror is followed; the bound ends circles.
    for (let hops = 0; hops < 32; hops += 1) {
      const { history, place } = at;
      const own = this.messages.get(`${history}:${String(place)}`);
      if (own !== undefined) return own;
      const run = this.mirrors.get(history)?.find(({ to }) => to.first <= place && place <= to.last);
      if (run === undefined) return undefined;
      at = { history: run.from.history, place: run.from.first + place - run.to.first };
    }
    return undefined;
  }
}
