/** What is measured of a peer. A `message` is answered by a message or a task with one text; a `task` is streamed to its end. */
export interface BenchCalls {
  readonly name: string;
  readonly message?: () => Promise<unknown>;
  readonly task?: () => Promise<unknown>;
  /** A stream of that many text deltas; resolves to the events that arrived. */
  readonly stream?: (events: number) => Promise<number>;
  /** Longer streams take minutes. */
  readonly maxEvents?: number;
  close(): Promise<void>;
}
