import { setTimeout as pause } from "node:timers/promises";
import type { StreamResponse } from "@a2a-js/sdk";
import type { TaskRow, TaskStore } from "../store/task-store.ts";
import { numbered, placeAfter } from "./event-number.ts";
import type { Reading } from "./task-actor.ts";
import { TaskRecord } from "./task-record.ts";

const eventsAtOnce = 1_000;
/** How often a task that runs in another process is looked at. */
const pollMs = 100;

/** A stored task as it stands: the row's snapshot, and the events since. */
export async function readStored(
  store: TaskStore,
  row: TaskRow,
): Promise<{ readonly record: TaskRecord; readonly place: number }> {
  const record = new TaskRecord(row.body.task, row.body.partial);
  let { place } = row.body;
  for (;;) {
    const events = await store.events(row, place, eventsAtOnce);
    for (const event of events) if (!event.isAgentEvent) record.apply(event.response);
    place += events.length;
    if (events.length < eventsAtOnce) return { record, place };
  }
}

/** The events of a task that does not run here, until it is at rest. */
export async function* followStored(
  store: TaskStore,
  row: TaskRow,
  reading: Reading,
): AsyncGenerator<StreamResponse, void> {
  const { after, signal, withAgentEvents, withNumbers = false } = reading;
  let place: number;
  if (after) {
    place = placeAfter(after, row.body.epochs);
  } else {
    const stored = await readStored(store, row);
    place = stored.place;
    yield { payload: { $case: "task", value: stored.record.snapshot() } };
  }
  let current = row;
  for (;;) {
    for (let isMore = true; isMore;) {
      const events = await store.events(row, place, eventsAtOnce);
      for (const event of events)
        if (!event.isAgentEvent || withAgentEvents) yield numbered(event, withNumbers);
      place += events.length;
      isMore = events.length === eventsAtOnce;
    }
    if (!current.isOpen && place >= current.body.place) return;
    await pause(pollMs, undefined, { ref: false });
    // The row is read before its events, so that a task seen at rest has all of them stored.
    const next = signal?.aborted ? undefined : await store.get(row);
    if (!next) return;
    current = next;
  }
}
