import { defaultTaskLimits } from "../task/task-engine.ts";
import type { TaskLimits } from "../task/task-engine.ts";

/** Every refusal names the limit it stands for. */
export interface Limits extends TaskLimits {
  /** Bytes of a request body. Default 4 MiB. */
  readonly bodyBytes: number;
  /** Bytes of a WebSocket frame. Default 4 MiB. */
  readonly frameBytes: number;
  /** Bytes of all request headers. Default 16 KiB. */
  readonly headerBytes: number;
  /** Milliseconds for a request's headers to arrive. Default 10,000. */
  readonly headersMs: number;
  /** Milliseconds for a whole request to arrive. Default 30,000. */
  readonly requestMs: number;
  /** Milliseconds an idle connection is kept. Default 65,000. */
  readonly idleMs: number;
  /** Calls open at once on one WebSocket. Default 1,000. */
  readonly callsPerConnection: number;
  /** Milliseconds between signs of life on a quiet stream. Default 15,000. */
  readonly keepAliveMs: number;
}

const mebibyte = 1_048_576;

export const defaultLimits: Limits = {
  ...defaultTaskLimits,
  bodyBytes: 4 * mebibyte,
  frameBytes: 4 * mebibyte,
  headerBytes: 16_384,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 65_000,
  callsPerConnection: 1_000,
  keepAliveMs: 15_000,
};
