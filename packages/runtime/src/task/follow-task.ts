import { TaskState } from "@a2a-js/sdk";
import type { StreamResponse, Task } from "@a2a-js/sdk";
import { numbered, placeAfter } from "./event-number.ts";
import type { EventNumber } from "./event-number.ts";
import type { TaskActor } from "./task-actor.ts";
import { isInterrupted, isTerminal } from "./task-record.ts";

export interface Reading {
  readonly withAgentEvents: boolean;
  /** The caller knows the hop extension: events carry their numbers. */
  readonly withNumbers?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** The last event the caller has: no snapshot, only what follows. */
  readonly after?: EventNumber | undefined;
  /** Until the task is over; else until it is at rest: over, or waiting for its caller. */
  readonly isToEnd?: boolean;
  /** Default: where the task stands when the reading begins. */
  readonly start?: ReadingStart | undefined;
}

/** Where a reading begins: the task as it stood, and the place of the event that follows. */
export interface ReadingStart {
  readonly task: Task;
  readonly place: number;
}

/** Taken before a turn begins, it misses none of that turn's events, however soon they come. */
export function startReading(actor: TaskActor): ReadingStart {
  return { task: actor.snapshot(), place: actor.log.shown };
}

/** The task as it stands, then its events. `signal` ends the reading, never the task. */
export async function* followTask(actor: TaskActor, reading: Reading): AsyncGenerator<StreamResponse, void> {
  const { log } = actor;
  const { after, signal, withAgentEvents, withNumbers = false, isToEnd = false } = reading;
  const start = after ? undefined : (reading.start ?? startReading(actor));
  const from = after ? placeAfter(after, log.epochs) : start!.place;
  const isOver = (): boolean => actor.isTerminal || (!isToEnd && actor.isWaiting);
  const wasOver = isOver();
  if (start) yield taskResponse(start.task);
  if (wasOver && from >= log.shown) return;
  for await (const entry of log.read(from, signal)) {
    if (entry === "behind") yield taskResponse(actor.snapshot());
    else if (!entry.isAgentEvent || withAgentEvents) yield numbered(entry, withNumbers);
    const isLast = entry !== "behind" && endsReading(entry.response) && entry.place + 1 >= log.shown;
    if (isLast && isOver()) return;
  }
}

export function taskResponse(task: Task): StreamResponse {
  return { payload: { $case: "task", value: task } };
}

function endsReading(response: StreamResponse): boolean {
  if (response.payload?.$case !== "statusUpdate") return false;
  const state = response.payload.value.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  return isTerminal(state) || isInterrupted(state);
}
