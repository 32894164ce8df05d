import type { StreamResponse } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { numberEvent } from "../a2a/event-number.ts";
import { withHop } from "../a2a/hop.ts";
import type { StoredEvent } from "../store/task-store.ts";

/** An event's number on the wire: `epoch.seq`. A takeover opens an epoch; the sequence counts on. */
export interface EventNumber {
  readonly epoch: number;
  readonly seq: number;
}

export function formatEventNumber({
  epoch,
  place,
}: {
  readonly epoch: number;
  readonly place: number;
}): string {
  return `${epoch}.${place}`;
}

/** @throws RequestMalformedError for what no service of ours wrote */
export function parseEventNumber(text: string): EventNumber {
  const [, epoch, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (epoch === undefined)
    throw new RequestMalformedError(`"${text}" is no event number; they look like 1.42.`);
  return { epoch: Number(epoch), seq: Number(seq) };
}

/**
 * The place to read on from. Events of an epoch that was taken over may have been seen without having been stored:
 * then the next epoch's first event, which takes the partial message back, is what comes next.
 */
export function placeAfter(
  { epoch, seq }: EventNumber,
  epochs: readonly (readonly [epoch: number, place: number])[],
): number {
  const later = epochs.find(([number]) => number > epoch);
  return later ? Math.min(seq + 1, later[1]) : seq + 1;
}

/** The event with its number, which also stands in its metadata, under the hop extension, for callers that know it. */
export function numbered(event: StoredEvent, isInMetadata: boolean): StreamResponse {
  const number = formatEventNumber(event);
  const response = isInMetadata ? withNumber(event.response, number) : event.response;
  numberEvent(response, number);
  return response;
}

function withNumber(response: StreamResponse, eventNumber: string): StreamResponse {
  const { payload } = response;
  if (payload?.$case !== "statusUpdate" && payload?.$case !== "artifactUpdate") return response;
  const metadata = withHop(payload.value.metadata, { eventNumber });
  return { payload: { ...payload, value: { ...payload.value, metadata } } as StreamResponse["payload"] };
}
