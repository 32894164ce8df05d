/** What the benchmark of the wire measures: each subject is a server process and a client process. */
export interface BenchSubject {
  readonly name: string;
  readonly peer: "http" | "undici" | "ws" | "sdk" | "weft";
  /** Weft's binding. */
  readonly binding?: "ws" | "jsonrpc" | "rest" | "grpc";
  /** Both processes trace and send their spans to the benchmark itself, which throws them away. */
  readonly isTraced?: boolean;
  readonly works: readonly BenchWork[];
}

/** A `message` is answered with a message, a `task` with a task that is over, both with one text; the rest are streamed. */
export interface BenchWork {
  readonly work: "message" | "task" | "streamed task" | "stream";
  readonly inFlight: number;
  /** Text deltas of one stream. */
  readonly events?: number;
}

/** What a client process did in the time it was given. */
export interface ClientFigures {
  /** Calls answered; of streams the events that arrived. */
  readonly operations: number;
  readonly ms: number;
  /** Microseconds of CPU that the process took, all its threads. */
  readonly cpu: number;
}

/** A message with this text is answered with a message, others with a task of as many text deltas as they say. */
export const directText = "1 message";

const messages: readonly BenchWork[] = [1, 32].map((inFlight) => ({ work: "message", inFlight }));
const tasks = (["task", "streamed task"] as const).flatMap((work) =>
  [1, 32].map((inFlight): BenchWork => ({ work, inFlight })),
);
const streams = (...counts: number[]): readonly BenchWork[] =>
  counts.map((events) => ({ work: "stream", inFlight: 1, events }));

const weft = (["ws", "jsonrpc", "rest", "grpc"] as const).flatMap((binding) =>
  [false, true].map((isTraced): BenchSubject => ({
    name: `Weft ${binding}${isTraced ? ", traced" : ""}`,
    peer: "weft",
    binding,
    isTraced,
    works: [...messages, ...tasks, ...streams(100, 1_000, 10_000)],
  })),
);

/**
 * An echo of JSON over node:http, server and client. Its figure of a message with 32 in flight is what all others are held
 * against. With undici as its client, which Weft's own is built on, the same server is half as fast again and more: it stands
 * beside the ruler as the limit of what HTTP can do here.
 */
export const ruler: BenchSubject = { name: "raw node:http", peer: "http", works: messages };

export const subjects: readonly BenchSubject[] = [
  ruler,
  { name: "raw node:http, undici", peer: "undici", works: messages },
  { name: "raw ws + msgpackr", peer: "ws", works: messages },
  // Its longer streams take minutes.
  { name: "SDK JSON-RPC", peer: "sdk", works: [...messages, ...tasks, ...streams(100, 1_000)] },
  ...weft,
];
