/** Where times stand on a line: bars as shares of its length, and the ticks of its axis. */
export interface TimeScale {
  readonly durationMs: number;
  /** Round times from 0 on, at most the duration. */
  readonly ticks: readonly number[];
  /** 0 to 1. */
  readonly position: (ms: number) => number;
}

export interface Bar {
  /** Shares of the line, 0 to 1. */
  readonly left: number;
  readonly width: number;
}

const steps = [1, 2, 5];

/** `aboutTicks`: how many fit; the steps are 1, 2 or 5 of a power of ten. A trace of no duration gets a line of one millisecond. */
export function createTimeScale(durationMs: number, aboutTicks = 6): TimeScale {
  const length = Number.isFinite(durationMs) && durationMs > 0 ? durationMs : 1;
  const step = niceStep(length / Math.max(1, aboutTicks));
  const count = Math.floor(length / step + 1e-9);
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  return {
    durationMs: length,
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toFixed(decimals))),
    position: (ms) => Math.min(1, Math.max(0, ms / length)),
  };
}

function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  const factor = steps.find((step) => step * power >= atLeast * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** An open span (no end yet) reaches to the line's end. */
export function barOf(scale: TimeScale, startMs: number, spanMs: number, open: boolean): Bar {
  const left = scale.position(startMs);
  return { left, width: (open ? 1 : scale.position(startMs + spanMs)) - left };
}
