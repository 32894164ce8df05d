/** What a delivery takes batches from: the queue in memory, or a spool. */
export interface BatchSource {
  /** Spans that are neither delivered nor given up. */
  readonly pending: number;
  /** Whether what waits fills a batch, so that sending need not wait for company. */
  readonly hasBatch: boolean;
  /** The oldest batch that is not settled, or undefined when there is none. One at a time. */
  next(): Promise<Batch | undefined>;
  /** Called once, when nothing will be taken any more. */
  close(): void;
}

export interface Batch {
  /** Spans in it. */
  readonly size: number;
  /** The OTLP request of spans `from` to `to`, `to` excluded; valid until the next call. */
  encode(from: number, to: number): Promise<readonly Uint8Array[]>;
  /** The destination can never take these: keep them where a person finds them, or forget them. */
  setAside(from: number, to: number): void;
  /** All of it is delivered or set aside. */
  settle(): void;
}
