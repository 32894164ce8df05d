import type { StreamResponse } from "@a2a-js/sdk";

/**
 * The request header, gRPC metadata key or frame parameter with the number of the last event a client has: SubscribeToTask
 * goes on after it. Server-sent events call it so (HTML standard, 9.2.4).
 */
export const resumeHeader = "last-event-id";

/** Beside the events, not on them: a number is of the stream, and no codec carries unknown members. */
const numbers = new WeakMap<StreamResponse, string>();

/** Notes an event's number within its task (`epoch.seq`); bindings that can, say it to the client. */
export function numberEvent(response: StreamResponse, number: string): void {
  numbers.set(response, number);
}

export function eventNumberOf(response: StreamResponse): string | undefined {
  return numbers.get(response);
}
