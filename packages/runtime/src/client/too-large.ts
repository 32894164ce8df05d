import { WeftError } from "@weft/tracing";

/** What a client says of an answer, or an event, that is larger than it takes. */
export function tooLarge(maxBytes: number): WeftError {
  return new WeftError("limit_exceeded", `An answer exceeds the client's limit answerBytes of ${maxBytes}.`);
}
