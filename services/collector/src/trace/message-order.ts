/**
 * The order of a talk. Messages of one history stand in the order of their places, whatever the clocks of the
 * services that made them say; between histories, time decides.
 */
export interface Place {
  readonly history: string;
  readonly place: number;
}

export interface SaidMessage {
  readonly messageId: string;
  /** Row id of the span that made it. */
  readonly span: number;
  /** Nanoseconds after the trace's start. */
  readonly time: number;
  /** Among the appends of its span. */
  readonly position: number;
  readonly places: readonly Place[];
}

/** Places hold as far as they agree; where histories contradict each other the earliest message goes first. */
export function orderMessages(messages: readonly SaidMessage[]): readonly SaidMessage[] {
  const byTime = messages.toSorted((a, b) => a.time - b.time || a.position - b.position);
  const { followers, waitsFor } = constraints(byTime);
  const ready = new Heap();
  const emitted = new Set<number>();
  const ordered: SaidMessage[] = [];
  for (let index = 0; index < byTime.length; index += 1) if (waitsFor[index] === 0) ready.push(index);
  let stuck = 0;
  while (ordered.length < byTime.length) {
    let index = ready.pop();
    if (index === undefined) {
      while (emitted.has(stuck)) stuck += 1;
      index = stuck;
    }
    const message = byTime[index];
    if (message === undefined || emitted.has(index)) continue;
    emitted.add(index);
    ordered.push(message);
    for (const follower of followers[index] ?? []) {
      const left = (waitsFor[follower] ?? 0) - 1;
      waitsFor[follower] = left;
      if (left === 0 && !emitted.has(follower)) ready.push(follower);
    }
  }
  return ordered;
}

/** Each message waits for the one before it in each of its histories. */
function constraints(messages: readonly SaidMessage[]): { followers: number[][]; waitsFor: number[] } {
  const histories = new Map<string, { place: number; index: number }[]>();
  for (const [index, message] of messages.entries()) {
    for (const { history, place } of message.places) {
      const entries = histories.get(history) ?? [];
      entries.push({ place, index });
      histories.set(history, entries);
    }
  }
  const followers: number[][] = messages.map(() => []);
  const waitsFor = messages.map(() => 0);
  for (const entries of histories.values()) {
    entries.sort((a, b) => a.place - b.place);
    for (const [at, { index }] of entries.entries()) {
      const before = entries[at - 1];
      if (before === undefined || before.index === index) continue;
      followers[before.index]?.push(index);
      waitsFor[index] = (waitsFor[index] ?? 0) + 1;
    }
  }
  return { followers, waitsFor };
}

/** A binary heap of indexes, smallest first. */
class Heap {
  private readonly items: number[] = [];

  push(item: number): void {
    let at = this.items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.at(parent) <= this.at(at)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): number | undefined {
    const top = this.items[0];
    const last = this.items.pop();
    if (top === undefined || last === undefined || this.items.length === 0) return top;
    this.items[0] = last;
    this.sink();
    return top;
  }

  private sink(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const least = this.at(left + 1) < this.at(left) ? left + 1 : left;
      if (this.at(least) >= this.at(at)) return;
      this.swap(at, least);
      at = least;
    }
  }

  private at(index: number): number {
    return this.items[index] ?? Infinity;
  }

  private swap(a: number, b: number): void {
    const item = this.at(a);
    this.items[a] = this.at(b);
    this.items[b] = item;
  }
}
