import type { WeftError } from "@weft/tracing";
import type { FrameReader } from "./ws-channel.ts";

type Frame = Record<string, unknown>;

/** Bytes of one stream's events that may be under way or wait to be read. */
export const windowBytes = 262_144;

/** Frames that arrived and were not read yet; what was lost is told after them. */
export class FrameQueue implements FrameReader {
  readonly #frames: { readonly frame: Frame; readonly bytes: number }[] = [];
  #head = 0;
  #takenBytes = 0;
  #lost: WeftError | undefined;
  #waiting: { resolve(frame: Frame): void; reject(error: WeftError): void } | undefined;

  frame(frame: Frame, bytes: number): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) {
      this.#frames.push({ frame, bytes });
      return;
    }
    this.#takenBytes += bytes;
    waiting.resolve(frame);
  }

  lost(error: WeftError): void {
    this.#lost ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  shift(): Frame | undefined {
    const next = this.#frames[this.#head];
    if (next === undefined) return undefined;
    this.#head++;
    this.#takenBytes += next.bytes;
    if (this.#head === this.#frames.length) {
      this.#frames.length = 0;
      this.#head = 0;
    }
    return next.frame;
  }

  next(): Promise<Frame> {
    if (this.#lost) return Promise.reject(this.#lost);
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    this.#waiting = { resolve, reject };
    return promise;
  }

  /** Bytes that the reader took since it was last asked; 0 until it is worth a frame. */
  taken(): number {
    const bytes = this.#takenBytes;
    if (bytes < windowBytes / 2) return 0;
    this.#takenBytes = 0;
    return bytes;
  }
}
