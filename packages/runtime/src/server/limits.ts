import { defaultTaskLimits } from "../task/task-limits.ts";
import type { TaskLimits } from "../task/task-limits.ts";

/** Every refusal names the limit it stands for. A caller is a login, or where there is none an address. */
export interface Limits extends TaskLimits {
  /** Bytes of a request body. Default 4 MiB. */
  readonly bodyBytes: number;
  /** Bytes of a WebSocket frame. Default 4 MiB. */
  readonly frameBytes: number;
  /** Bytes of all request headers, or of a frame's service parameters. Default 16 KiB. */
  readonly headerBytes: number;
  /** How deep the objects and arrays of a request are nested. Default 100. */
  readonly depth: number;
  /** Parts of a message. Default 1,000. */
  readonly parts: number;
  /** Calls a caller begins in a second, with as many at once. Default 1,000; loopback without a login is not counted. */
  readonly callsPerSecond: number;
  /** Calls of one caller that are open at once, streams aside. Default 1,000. */
  readonly callsPerCaller: number;
  /** Streams of one caller that are open at once. Default 1,000. */
  readonly streamsPerCaller: number;
  /** Calls open at once on one WebSocket. Default 1,000. */
  readonly callsPerConnection: number;
  /** Connections at once. Default 10,000. */
  readonly connections: number;
  /** Milliseconds for a request's headers to arrive. Default 10,000. */
  readonly headersMs: number;
  /** Milliseconds for a whole request to arrive. Default 30,000. */
  readonly requestMs: number;
  /** Milliseconds a connection on which nothing is open is kept. Default 65,000. */
  readonly idleMs: number;
  /** Milliseconds between signs of life on a quiet stream or WebSocket. Default 15,000. */
  readonly keepAliveMs: number;
}

const mebibyte = 1_048_576;

export const defaultLimits: Limits = {
  ...defaultTaskLimits,
  bodyBytes: 4 * mebibyte,
  frameBytes: 4 * mebibyte,
  headerBytes: 16_384,
  depth: 100,
  parts: 1_000,
  callsPerSecond: 1_000,
  callsPerCaller: 1_000,
  streamsPerCaller: 1_000,
  callsPerConnection: 1_000,
  connections: 10_000,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 65_000,
  keepAliveMs: 15_000,
};
