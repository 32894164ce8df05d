/** Figures as people read them. */

/** `durationMs` with three figures at most: 812 µs, 4.2 ms, 96 ms, 1.25 s, 3 m 04 s, 2 h 05 m. */
export function formatDuration(durationMs: number): string {
  if (!(durationMs > 0)) return "0 ms";
  if (durationMs < 0.9995) return `${Math.max(1, Math.round(durationMs * 1000))} µs`;
  if (durationMs < 999.5) return `${figures(durationMs)} ms`;
  if (durationMs < 59_995) return `${figures(durationMs / 1000)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`;
}

/** A time on the axis, in the unit of the axis's length: all ticks then read alike. */
export function formatTick(ms: number, lengthMs: number): string {
  if (ms === 0) return "0";
  if (lengthMs < 1) return `${plain(ms * 1000)} µs`;
  if (lengthMs < 1000) return `${plain(ms)} ms`;
  if (lengthMs < 120_000) return `${plain(ms / 1000)} s`;
  return lengthMs < 7_200_000 ? `${plain(ms / 60_000)} m` : `${plain(ms / 3_600_000)} h`;
}

/** 0, 999, 1.2k, 34k, 1.2M */
export function formatCount(count: number): string {
  if (count < 1000) return String(count);
  if (count < 999_500) return `${figures(count / 1000, 2)}k`;
  return `${figures(count / 1e6, 2)}M`;
}

/** US dollars; null is unknown. */
export function formatCost(cost: number | null): string {
  if (cost === null) return "–";
  if (cost === 0) return "$0";
  if (cost < 0.0001) return "< $0.0001";
  return `$${cost < 1 ? cost.toFixed(4) : cost.toFixed(2)}`;
}

/** "1 span", "2 spans" */
export function formatNumberOf(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** The reader's clock, to the second: 14:03:59. */
export function formatClock(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(":");
}

/** The reader's calendar: 2026-11-22. */
export function formatDay(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** Today only the time; before, the day too. */
export function formatTime(time: number, now: number): string {
  return formatDay(time) === formatDay(now) ? formatClock(time) : `${formatDay(time)} ${formatClock(time)}`;
}

const shortJson = 64;

/** JSON text laid out over lines, or on one when it is short; any other text as it is. */
export function prettyJson(text: string): string {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return text;
  try {
    const lines = JSON.stringify(JSON.parse(trimmed), null, 2);
    // Only the layout has line ends: those within texts are escaped.
    const line = lines.replaceAll(/\n */g, " ");
    return line.length <= shortJson ? line : lines;
  } catch {
    return text;
  }
}

const pad = (value: number): string => String(value).padStart(2, "0");
const plain = (value: number): string => String(Number(value.toPrecision(6)));

function figures(value: number, count = 3): string {
  const integers = Math.floor(Math.log10(value)) + 1;
  return String(Number(value.toFixed(Math.max(0, count - Math.max(1, integers)))));
}
