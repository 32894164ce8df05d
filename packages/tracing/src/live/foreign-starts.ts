/**
 * Job: tell that Weft's span helper started a span of another SDK: its end goes that SDK's way, its start goes ours.
 * Owns: who takes it: the live channel, while another SDK traces.
 */
import type { Span } from "@opentelemetry/api";

let taker: ((span: Span) => void) | undefined;

export function setForeignStartTaker(value: ((span: Span) => void) | undefined): void {
  taker = value;
}

export function noteForeignStart(span: Span): void {
  taker?.(span);
}
