import type { IncomingMessage } from "node:http";
import { A2A_CONTENT_TYPE } from "@a2a-js/sdk";
import { ContentTypeNotSupportedError } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { limitError } from "../a2a/wire-errors.ts";

/**
 * Reads a request body as text.
 *
 * @throws WeftError `limit_exceeded` as soon as it is known to be too large, `aborted` when the caller leaves
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  // A body parser in front of agentHandler has read the request and left what it read.
  if (request.readableEnded) return JSON.stringify((request as { body?: unknown }).body ?? null);
  const tooLarge = (): WeftError =>
    limitError("bodyBytes", `The body exceeds the limit bodyBytes of ${maxBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= maxBytes) return void chunks.push(chunk);
      request.pause();
      request.off("data", take);
      reject(tooLarge());
    };
    const end = (): void => {
      resolve((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)).toString("utf8"));
    };
    // After the end, or a body too large, it is no matter any more; the listeners go with their request.
    const fail = (error?: Error): void => {
      if (request.complete) return;
      const gone = new WeftError("aborted", "The caller left before its request was complete.");
      reject(error ? WeftError.from(error, "aborted") : gone);
    };
    request.on("data", take).on("end", end).on("close", fail).on("error", fail);
  });
}

/**
 * Refuses a body that is not declared as JSON. A web page can send plain text anywhere without asking; JSON it cannot.
 *
 * @throws ContentTypeNotSupportedError
 */
export function checkContentType(request: IncomingMessage): void {
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === undefined || type === "application/json" || type === A2A_CONTENT_TYPE) return;
  throw new ContentTypeNotSupportedError(`Content type "${type.slice(0, 64)}" is not JSON.`);
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
    throw new WeftError("invalid_argument", "The body is not JSON.", { cause: error, details: notJson });
  }
}

const notJson = { isJson: false };

/** Whether an error, or what it stands for, is {@link parseJson}'s. */
export function isNotJson(error: Error): boolean {
  const { cause = error } = error;
  return cause instanceof WeftError && cause.details === notJson;
}
