import { setTimeout as pause } from "node:timers/promises";
import type { StreamResponse } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import type { TaskKey, TaskRow, TaskStore } from "../store/task-store.ts";
import type { LeaveSignal } from "./call-signal.ts";
import { numbered, placeAfter } from "./event-number.ts";
import type { Reading } from "./task-stream.ts";
import { isTerminal, TaskRecord } from "./task-record.ts";

const eventsAtOnce = 1_000;
/** How often a task that runs in another process is looked at. */
const pollMs = 100;
/** The same of one that waits for its caller. */
const restPollMs = 500;

/** A stored task as it stands: the row's snapshot, and the events since. */
export async function readStored(
  store: TaskStore,
  row: TaskRow,
): Promise<{ readonly record: TaskRecord; readonly place: number }> {
  const record = new TaskRecord(row.body.task, row.body.partial);
  let { place } = row.body;
  for (;;) {
    const events = await store.events(row, place, eventsAtOnce);
    for (const event of events) if (!event.isAgentEvent) record.applyStored(event.response);
    place += events.length;
    if (events.length < eventsAtOnce) return { record, place };
  }
}

/** The events of a task that does not run here, until it is at rest or, if that is wanted, over. */
export async function* followStored(
  store: TaskStore,
  row: TaskRow,
  reading: Reading & { /** The place to read on from; no snapshot. */ readonly from?: number },
): AsyncGenerator<StreamResponse, void> {
  const { after, from, signal, withAgentEvents, withNumbers = false, isToEnd = false } = reading;
  let place: number;
  if (from !== undefined) {
    place = from;
  } else if (after) {
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
    const isOver = isToEnd ? isTerminal(current.state) : !current.isOpen;
    if (isOver && place >= current.body.place) return;
    await pause(current.isOpen ? pollMs : restPollMs, undefined, { ref: false });
    // The row is read before its events, so that a task seen at rest has all of them stored.
    const next = signal?.aborted ? undefined : await store.get(row);
    if (!next) return;
    current = next;
  }
}

/**
 * A task that another process runs, once it is over or waits for its caller.
 *
 * @throws WeftError `unavailable` when that takes too long, or nobody waits any more; `not_found` when it is gone
 */
export async function whenAtRest(
  store: TaskStore,
  key: TaskKey,
  options: { readonly signal?: LeaveSignal | undefined; readonly timeoutMs: number },
): Promise<TaskRow> {
  const late = performance.now() + options.timeoutMs;
  for (;;) {
    const row = await store.get(key);
    if (!row) throw new WeftError("not_found", `Task ${key.id} is gone.`);
    if (!row.isOpen) return row;
    if (options.signal?.aborted || performance.now() > late)
      throw new WeftError("unavailable", "The task runs in another process; send the message again later.", {
        retryable: true,
      });
    await pause(pollMs, undefined, { ref: false });
  }
}
