/** What an engine bounds by itself; every refusal names its limit. */
export interface TaskLimits {
  /** Tasks of one agent that run at once. Default 1,000. */
  readonly runningTasks: number;
  /** Tasks of one caller that run at once, over all agents of a service. Default 500. */
  readonly tasksPerCaller: number;
  /** Tasks at rest, over or waiting for their caller, that are kept. Default 1,000; in a store that outlives the process 100,000. */
  readonly endedTasks: number;
  /** Milliseconds that a task at rest is kept. Default 7 days. */
  readonly endedTaskMs: number;
  /** Contexts that are remembered. Default 10,000. */
  readonly contexts: number;
  /** Events of one task that a late reader can still get one by one. Default 10,000. */
  readonly events: number;
  /** Milliseconds a turn may take. Default 600,000. */
  readonly turnMs: number;
  /** Milliseconds of silence after which another process's tasks are taken over; its death is noticed at once. Default 10,000. */
  readonly leaseMs: number;
  /** A2A hops a request may have behind it. Default 16. */
  readonly hops: number;
}

export const defaultTaskLimits: TaskLimits = {
  runningTasks: 1_000,
  tasksPerCaller: 500,
  endedTasks: 1_000,
  endedTaskMs: 7 * 24 * 3_600_000,
  contexts: 10_000,
  events: 10_000,
  turnMs: 600_000,
  leaseMs: 10_000,
  hops: 16,
};
