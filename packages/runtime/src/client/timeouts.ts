/** Deadlines of a client, in milliseconds. */
export interface ClientTimeouts {
  /** Until a connection stands. Default 5,000. */
  readonly connectMs: number;
  /** Until an agent card is read. Default 10,000. */
  readonly cardMs: number;
  /** Until a call is answered. Default 120,000. */
  readonly unaryMs: number;
  /** Without a sign of life on a stream. Default 60,000. */
  readonly streamIdleMs: number;
}

export const defaultTimeouts: ClientTimeouts = {
  connectMs: 5_000,
  cardMs: 10_000,
  unaryMs: 120_000,
  streamIdleMs: 60_000,
};
