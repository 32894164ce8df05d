import type { Carrier } from "@weft/tracing/internal";
import type { StepRow } from "../store/task-store.ts";

/** One attempt of a process at one turn: how many there were, and the context of the last one's span. */
export interface Attempt {
  readonly number: number;
  readonly carrier: Carrier;
}

const prefix = "attempt/";

export function attemptKey(messageId: string): string {
  return prefix + messageId;
}

export function readAttempt(step: StepRow): Attempt {
  return JSON.parse(step.intent) as Attempt;
}

/** The span of the task's last turn. */
export function lastAttempt(steps: readonly StepRow[]): Carrier | undefined {
  const step = steps.findLast(({ key }) => key.startsWith(prefix));
  return step && readAttempt(step).carrier;
}
