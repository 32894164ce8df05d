/** How every subject is measured: the same loops, the same payloads, medians. */
import process from "node:process";

export interface Payload {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

export interface Subject {
  /** Starts and ends one span. */
  readonly bare?: () => void;
  /** The same with five attributes. */
  readonly attributes?: () => void;
  /** A turn: a span with seven steps in it, each active while it runs. */
  readonly turn?: () => Promise<void>;
  /** One call with its content captured. */
  readonly content?: (payload: Payload, reply: string) => void;
  /** Makes so many spans with a text, and gives back what encodes them all; that gives back the bytes written. */
  readonly encode?: (spans: number, text: string) => () => number;
  /** Resolves when all that ended has left the process. */
  readonly drain: () => Promise<void>;
}

export async function runSubject(subject: Subject): Promise<void> {
  const [what] = process.argv.slice(2);
  const figures: Record<string, number> = {};
  if (what === "hot") await hot(subject, figures);
  else if (what === "encode") encode(subject, figures);
  else await content(subject, figures);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exit();
}

async function hot(subject: Subject, figures: Record<string, number>): Promise<void> {
  for (const name of ["bare", "attributes"] as const) {
    const run = subject[name];
    if (run === undefined) continue;
    const times: number[] = [];
    for (let round = 0; round < 60; round += 1) {
      const start = performance.now();
      for (let span = 0; span < 1000; span += 1) run();
      times.push(performance.now() - start);
      await subject.drain();
    }
    figures[name] = median(times.slice(20));
  }
  const { turn } = subject;
  if (turn === undefined) return;
  const times: number[] = [];
  for (let round = 0; round < 60; round += 1) {
    const start = process.cpuUsage();
    for (let at = 0; at < 1000; at += 1) await turn();
    await subject.drain();
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
  // All in: the CPU of the whole process, encoding and sending included; after the compiler, whose threads count too, is done.
  figures["turn"] = median(times.slice(30));
}

function encode({ encode: prepare }: Subject, figures: Record<string, number>): void {
  if (prepare === undefined) return;
  for (const [label, bytes, spans] of [
    ["small", 20, 1000],
    ["10KB", 10_000, 200],
    ["1MB", 1_000_000, 5],
  ] as const) {
    const run = prepare(spans, Buffer.alloc(bytes, "so it goes, he said. ").toString("latin1"));
    const times: number[] = [];
    for (let round = 0; round < 60; round += 1) {
      const start = performance.now();
      run();
      times.push(((performance.now() - start) / spans) * 1e3);
    }
    figures[label] = median(times.slice(20));
  }
}

const sizes = [
  ["10KB", 10_000, 300],
  ["1MB", 1_000_000, 40],
  ["10MB", 10_000_000, 12],
] as const;

async function content({ content: call, drain }: Subject, figures: Record<string, number>): Promise<void> {
  if (call === undefined) return;
  for (const [label, bytes, rounds] of sizes) {
    const calls: number[] = [];
    const stalls: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // Another text each time, as flat strings that nobody has seen.
      const payload = makePayload(bytes, round);
      // Now and then only: after each collection the first call pays for what was thrown away with it.
      if (round % 10 === 0) (globalThis as { gc?: () => void }).gc?.();
      await new Promise((resolve) => setImmediate(resolve));
      const watch = watchStalls();
      const start = performance.now();
      call(payload, "done");
      calls.push(performance.now() - start);
      await drain();
      stalls.push(Math.max(calls.at(-1) ?? 0, watch()));
    }
    figures[label] = median(calls.slice(rounds / 4));
    figures[`${label} stall`] = median(stalls.slice(rounds / 4));
  }
}

/** The longest time between two turns of the event loop, until it is asked. */
function watchStalls(): () => number {
  let longest = 0;
  let last = performance.now();
  let watching = true;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(tick);
  };
  setImmediate(tick);
  return () => {
    watching = false;
    // The answer may have come in the very turn that encoded.
    return Math.max(longest, performance.now() - last);
  };
}

function makePayload(bytes: number, round: number): Payload {
  const messages = 10;
  return {
    messages: Array.from({ length: messages }, (_, at) => ({
      role: at % 2 === 0 ? "user" : "assistant",
      content: Buffer.alloc(bytes / messages, `${round} ${at} "so it goes", he said.\n`).toString("latin1"),
    })),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
