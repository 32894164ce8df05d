import type { IncomingMessage } from "node:http";
import { WeftError } from "@weft/tracing";

/**
 * Reads a request body as text.
 *
 * @throws WeftError `limit_exceeded` as soon as it is known to be too large, `aborted` when the caller leaves
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  // A body parser in front of agentHandler has read the request and left what it read.
  if (request.readableEnded) return JSON.stringify((request as { body?: unknown }).body ?? null);
  const tooLarge = (): WeftError =>
    new WeftError("limit_exceeded", `The body exceeds the limit bodyBytes of ${maxBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) {
      request.pause();
      reject(tooLarge());
    } else {
      chunks.push(chunk);
    }
  });
  request.once("end", () => resolve(Buffer.concat(chunks, size).toString("utf8")));
  request.once("close", () =>
    reject(new WeftError("aborted", "The caller left before its request was complete.")),
  );
  request.once("error", (error) => reject(WeftError.from(error, "aborted")));
  return promise;
}

/**
 * Parses a JSON body.
 *
 * @throws WeftError `invalid_argument`
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new WeftError("invalid_argument", "The body is not JSON.", { cause: error });
  }
}
