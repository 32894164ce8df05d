import { WeftError } from "@weft/tracing";
import type { AgentMessage } from "../agent/message.ts";

/**
 * Refuses what no binding and no store can carry.
 *
 * @throws WeftError `invalid_argument` that says what is not JSON, and why
 */
export function checkJson(value: unknown, what: string): void {
  try {
    JSON.stringify(value);
  } catch (error) {
    const why = WeftError.from(error).message;
    throw new WeftError("invalid_argument", `${what} that the agent gave is not JSON: ${why}`, {
      cause: error,
    });
  }
}

/** The same of what a message may hold besides text and bytes. */
export function checkMessageJson({ content, metadata }: AgentMessage): void {
  if (metadata) checkJson(metadata, "A message's metadata");
  if (typeof content === "string" || content === null) return;
  for (const part of content) if (part.type === "data") checkJson(part.data, "A data part");
}
