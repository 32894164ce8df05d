import type { StreamResponse } from "@a2a-js/sdk";

/**
 * The request header, gRPC metadata key or frame parameter with the number of the last event a client has: SubscribeToTask
 * goes on after it. Server-sent events call it so (HTML standard, 9.2.4).
 */
export const resumeHeader = "last-event-id";

/** On the event, where no codec looks: a number is of the stream. */
const number: unique symbol = Symbol("weft.eventNumber");

/** Notes an event's number within its task (`epoch.seq`); bindings that can, say it to the client. */
export function numberEvent(response: StreamResponse, text: string): void {
  (response as { [number]?: string })[number] = text;
}

export function eventNumberOf(response: StreamResponse): string | undefined {
  return (response as { readonly [number]?: string })[number];
}
