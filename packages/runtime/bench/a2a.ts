/*
 * A2A over the wire: messages and tasks at 1 and 32 in flight and streams of 100 to 10,000 events, on each binding, traced and
 * not, beside the SDK's own server and client, raw node:http and raw ws + msgpackr, in one run.
 *
 * Server and client are processes of their own, so that each side's CPU time is known. What is measured is the steady state: before
 * its first round every subject, peers and ruler alike, does its messages and tasks for three seconds and each of its streams once,
 * so that the engine's compilers are through with it. Every cell is measured in rounds, the ruler (raw node:http) in the same
 * rounds, and the best counts: a machine that others use only ever makes one slower. All of it takes about six minutes.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ChildProcess } from "node:child_process";
import { WeftError } from "@weft/tracing";
// @boundaries-ignore one way to start a process, for the whole repository
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { ruler, subjects } from "./a2a-subjects.ts";
import type { BenchSubject, BenchWork, ClientFigures } from "./a2a-subjects.ts";

export interface BenchRow extends BenchWork {
  readonly subject: string;
  /** Calls or events in a second. */
  readonly perSecond: number;
  /** Microseconds of CPU for one of them, on each side. */
  readonly clientCpu: number;
  readonly serverCpu: number;
  /** Speed, to the ruler's message with 32 in flight. */
  readonly ratio: number;
  /** The same by the CPU time of both sides: what it would be on a machine with nothing else to do. */
  readonly cpuRatio: number;
}

export interface BenchOptions {
  /** Seconds a cell takes, over all rounds. Default 3. */
  readonly seconds?: number;
  /** Subjects whose names hold one of these. Default: all. */
  readonly only?: readonly string[];
  /** Flags for the processes' Node: `--cpu-prof`. Default: none. */
  readonly execArgv?: readonly string[];
}

type Cell = Pick<BenchRow, "perSecond" | "clientCpu" | "serverCpu">;

const rounds = 6;
const rulerWork = ruler.works.at(-1)!;

/** How long a subject works before it is measured, in slices that change between its kinds of work. */
const warmUpMs = 3_000;
const sliceMs = 250;

export async function run(options: BenchOptions = {}): Promise<readonly BenchRow[]> {
  const { seconds = 3, only, execArgv = [] } = options;
  const chosen = only ? subjects.filter(({ name }) => only.some((text) => name.includes(text))) : subjects;
  const receiver = await startReceiver();
  const rows: BenchRow[] = [];
  const rulers = await Pair.start(ruler, receiver.url);
  await warmUp(rulers);
  try {
    for (const subject of chosen) {
      const pair = await Pair.start(subject, receiver.url, execArgv);
      await warmUp(pair);
      rows.push(...(await measureSubject(pair, rulers, (seconds * 1_000) / rounds)));
      await pair.stop();
    }
  } finally {
    await rulers.stop();
    receiver.close();
  }
  return rows;
}

async function warmUp(pair: Pair): Promise<void> {
  const { works } = pair.subject;
  const many = works.filter(({ inFlight }) => inFlight > 1);
  for (let ms = 0; ms < warmUpMs; ms += sliceMs) {
    await pair.measure(many[(ms / sliceMs) % many.length]!, sliceMs);
  }
  for (const work of works.filter(({ inFlight }) => inFlight === 1)) await pair.measure(work, sliceMs);
}

async function measureSubject(pair: Pair, rulers: Pair, ms: number): Promise<BenchRow[]> {
  const { works, name } = pair.subject;
  const cells = new Map<BenchWork, Cell[]>(works.map((work) => [work, []]));
  const bases: Cell[] = [];
  for (let round = 0; round < rounds; round++) {
    bases.push(await rulers.measure(rulerWork, ms));
    for (const [work, measured] of cells) measured.push(await pair.measure(work, ms));
  }
  const base = best(bases);
  return [...cells].map(([work, measured]) => {
    const cell = best(measured);
    const cpuRatio = (base.clientCpu + base.serverCpu) / (cell.clientCpu + cell.serverCpu);
    return { subject: name, ...work, ...cell, ratio: cell.perSecond / base.perSecond, cpuRatio };
  });
}

function best(cells: readonly Cell[]): Cell {
  return {
    perSecond: Math.max(...cells.map(({ perSecond }) => perSecond)),
    clientCpu: Math.min(...cells.map(({ clientCpu }) => clientCpu)),
    serverCpu: Math.min(...cells.map(({ serverCpu }) => serverCpu)),
  };
}

/** The two processes of a subject. */
class Pair {
  readonly subject: BenchSubject;
  readonly #server: ChildProcess;
  readonly #client: ChildProcess;

  private constructor(subject: BenchSubject, server: ChildProcess, client: ChildProcess) {
    this.subject = subject;
    this.#server = server;
    this.#client = client;
  }

  static async start(subject: BenchSubject, otlp: string, execArgv: readonly string[] = []): Promise<Pair> {
    const server = start("a2a-server.ts", [subject.name, otlp], execArgv);
    const url = (await next(server)) as string;
    const client = start("a2a-client.ts", [subject.name, url, otlp], execArgv);
    await next(client);
    return new Pair(subject, server, client);
  }

  async measure(work: BenchWork, ms: number): Promise<Cell> {
    const before = (await ask(this.#server, "cpu")) as number;
    const { operations, ms: took, cpu } = (await ask(this.#client, { work, ms })) as ClientFigures;
    const served = ((await ask(this.#server, "cpu")) as number) - before;
    return {
      perSecond: (operations / took) * 1_000,
      clientCpu: cpu / operations,
      serverCpu: served / operations,
    };
  }

  async stop(): Promise<void> {
    for (const child of [this.#client, this.#server]) {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    }
  }
}

function start(file: string, args: readonly string[], execArgv: readonly string[]): ChildProcess {
  return spawnNode(new URL(file, import.meta.url), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv,
  });
}

function ask(child: ChildProcess, what: object | string): Promise<unknown> {
  const answer = next(child);
  child.send(what);
  return answer;
}

/** What the process says next; a process that ends instead fails the benchmark. */
async function next(child: ChildProcess): Promise<unknown> {
  const gone = new AbortController();
  const end = (): void => gone.abort(new WeftError("unavailable", "A process of the benchmark ended."));
  child.once("exit", end);
  try {
    const [message] = (await once(child, "message", { signal: gone.signal })) as [unknown];
    return message;
  } finally {
    child.off("exit", end);
  }
}

/** Where the traced processes send their spans. */
async function startReceiver(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.setHeader("content-type", "application/x-protobuf").end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
