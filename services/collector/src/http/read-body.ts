/**
 * A request's body, inflated, within limits.
 *
 * I1 Never more than `inflatedBytes` of a request stand in memory, whatever its compression promises.
 * I2 Never more than `budget` bytes of all requests together.
 */
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { WeftError } from "@weft/tracing";
import { HttpError } from "./http-error.ts";

export interface BodyLimits {
  /** As sent. Default 32 MiB. */
  readonly bodyBytes: number;
  /** After gzip. Default 128 MiB. */
  readonly inflatedBytes: number;
}

/** Bytes that all requests share while their bodies arrive. */
export class ByteBudget {
  private left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  take(bytes: number): void {
    if (bytes > this.left) {
      throw new WeftError("limit_exceeded", "too many requests arrive at once; send this one again later", {
        retryable: true,
      });
    }
    this.left -= bytes;
  }

  give(bytes: number): void {
    this.left += bytes;
  }
}

/**
 * @throws HttpError 413 over a limit, 415 for an encoding other than gzip, 400 for broken gzip
 * @throws WeftError `limit_exceeded` when the budget is spent
 */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  budget: ByteBudget,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers["content-length"] ?? 0) > limits.bodyBytes) throw tooLarge(limits.bodyBytes, "");
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of inflated(request, limits) as AsyncIterable<Buffer>) {
      if (size + chunk.length > limits.inflatedBytes) throw tooLarge(limits.inflatedBytes, " after gzip");
      budget.take(chunk.length);
      size += chunk.length;
      chunks.push(chunk);
    }
    return join(chunks, size);
  } finally {
    budget.give(size);
  }
}

function inflated(request: IncomingMessage, limits: BodyLimits): Readable | AsyncIterable<Buffer> {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return counted(request, limits);
  if (encoding !== "gzip")
    throw new HttpError(415, "invalid_argument", `content-encoding ${encoding} is not gzip`);
  return gunzip(request, limits);
}

async function* gunzip(request: IncomingMessage, limits: BodyLimits): AsyncGenerator<Buffer> {
  const stream = createGunzip();
  pipeline(counted(request, limits), stream, () => {});
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    if (error instanceof WeftError) throw error;
    throw new HttpError(400, "invalid_argument", "the body is not valid gzip");
  }
}

/** Leaving early does not destroy the request: its socket still has to carry the answer. */
async function* counted(request: IncomingMessage, limits: BodyLimits): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limits.bodyBytes) throw tooLarge(limits.bodyBytes, "");
    yield chunk;
  }
}

function join(chunks: readonly Buffer[], size: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function tooLarge(limit: number, when: string): HttpError {
  return new HttpError(413, "limit_exceeded", `the body is larger than ${String(limit)} bytes${when}`);
}
