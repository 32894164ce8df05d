/** What became of this process's spans. Counts since the start. */
export interface TracingStats {
  /** Spans that ended and were recorded. */
  readonly ended: number;
  /** Of these, spans that did not and will not get out, to at least one destination. */
  readonly dropped: number;
  readonly destinations: readonly DestinationStats[];
  /** Present when there is a spool. */
  readonly spool?: SpoolStats;
}

export interface DestinationStats {
  readonly url: string;
  readonly delivered: number;
  /** Attempts that were repeated. */
  readonly retries: number;
  /** Spans that wait. */
  readonly queued: number;
  readonly dropped: number;
}

export interface SpoolStats {
  /** On disk, or waiting for it. */
  readonly bytes: number;
  /** Spans of processes that were gone, taken over by this one: those that had ended, and those closed as lost. */
  readonly adoptedSpools: number;
  readonly closedAsLost: number;
}
