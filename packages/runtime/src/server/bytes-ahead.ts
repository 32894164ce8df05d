import type { ServerWritableStream } from "@grpc/grpc-js";
import type { Part, StreamResponse } from "@a2a-js/sdk";

/** Bytes of one stream's events that may wait for their reader, besides one event of any size. */
const aheadBytes = 262_144;

/**
 * The flow of one gRPC stream. grpc-js counts messages, and sixteen may be of any size; HTTP/2 says when the bytes of
 * one have gone.
 */
export class BytesAhead {
  readonly #call: ServerWritableStream<unknown, unknown>;
  #waiting = 0;
  #wake: (() => void) | undefined;

  constructor(call: ServerWritableStream<unknown, unknown>) {
    this.#call = call;
    const leave = (): void => this.#wake?.();
    call.once("close", leave);
    call.once("cancelled", leave);
  }

  /** Writes an event's message. Resolves when the next may be written, or when nobody is left to read it. */
  write(message: unknown, event: StreamResponse): Promise<void> | undefined {
    const bytes = bytesOf(event);
    this.#waiting += bytes;
    const hasRoom = this.#call.write(message, () => {
      this.#waiting -= bytes;
      if (this.#waiting <= aheadBytes && !this.#call.writableNeedDrain) this.#wake?.();
    });
    if ((hasRoom && this.#waiting <= aheadBytes) || this.#isOver) return undefined;
    return new Promise((resolve) => {
      const go = (): void => {
        this.#wake = undefined;
        this.#call.off("drain", go);
        resolve();
      };
      this.#wake = go;
      this.#call.on("drain", go);
    });
  }

  get #isOver(): boolean {
    return this.#call.cancelled || this.#call.destroyed;
  }
}

/** About what an event has on the wire: its content; the rest is small. */
function bytesOf({ payload }: StreamResponse): number {
  if (payload?.$case === "artifactUpdate") return bytesOfParts(payload.value.artifact?.parts);
  if (payload?.$case === "message") return bytesOfParts(payload.value.parts);
  if (payload?.$case !== "task") return 0;
  const { artifacts, history } = payload.value;
  return [...artifacts, ...history].reduce((sum, { parts }) => sum + bytesOfParts(parts), 0);
}

function bytesOfParts(parts: readonly Part[] = []): number {
  let sum = 0;
  for (const { content } of parts) {
    if (content?.$case === "text" || content?.$case === "raw") sum += content.value.length;
    else if (content?.$case === "data") sum += JSON.stringify(content.value)?.length ?? 0;
  }
  return sum;
}
