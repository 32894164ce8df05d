/** Whether a trace is whole: one root, no orphan, every hop closed, every span ended, none dropped. */
import type { BrokenHop, TraceHealth } from "@weft/tracing/http";
import { SpanTypes } from "@weft/tracing/vocabulary";
import { errorStatus, remoteParentFlags, SpanKinds, SpanMarks } from "../store/span-marks.ts";
import type { TreeRow } from "./trace-rows.ts";

/** @param missing spans that processes of this trace dropped, or took with them */
export function healthOf(spans: readonly TreeRow[], missing: number): TraceHealth {
  const known = new Set(spans.map((span) => span.spanId));
  const orphans = spans.filter((span) => span.parentId !== "" && !known.has(span.parentId));
  const roots = spans.filter((span) => span.parentId === "").length;
  const brokenHops = [...orphans.filter(crossesProcesses).map(toCallerlessHop), ...unansweredHops(spans)];
  const openSpans = spans.filter((span) => span.open).length;
  const lostSpans = spans.filter((span) => span.marks & SpanMarks.lost).length;
  // A service cannot tell whose spans it dropped: some may have been this trace's. It says them on its next span and,
  // if it talks live, in its heartbeats.
  const droppedSpans = Math.max(
    missing,
    spans.reduce((sum, span) => sum + span.dropped, 0),
  );
  return {
    ok: roots === 1 && orphans.length + brokenHops.length === 0 && openSpans + lostSpans + droppedSpans === 0,
    roots,
    orphans: orphans.length,
    brokenHops,
    openSpans,
    lostSpans,
    droppedSpans,
  };
}

function crossesProcesses(span: TreeRow): boolean {
  if ((span.flags & remoteParentFlags.known) !== 0) return (span.flags & remoteParentFlags.remote) !== 0;
  return span.kind === SpanKinds.server || span.kind === SpanKinds.consumer;
}

function toCallerlessHop(span: TreeRow): BrokenHop {
  return {
    spanId: span.spanId,
    // The span that would name the caller's service is the one that is missing.
    from: "",
    to: span.service,
    reason: `the calling span ${span.parentId} is not stored: its service does not export to this collector, or has not yet`,
  };
}

/** Calls that went well, yet nothing of the far service is here. A call that failed or was given up may never have arrived. */
function unansweredHops(spans: readonly TreeRow[]): readonly BrokenHop[] {
  const answered = new Set(
    spans.filter(({ kind }) => kind === SpanKinds.server).map(({ parentId }) => parentId),
  );
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans
    .filter((span) => isFinishedCall(span) && !answered.has(span.spanId))
    .map((span) => ({
      spanId: span.spanId,
      from: span.service,
      to: byId.get(span.parentId)?.agent ?? "",
      reason: "no span of the called service is stored: it does not export to this collector, or has not yet",
    }));
}

function isFinishedCall(span: TreeRow): boolean {
  const isCall = span.type === SpanTypes.a2a && span.kind === SpanKinds.client;
  return isCall && !span.open && span.status !== errorStatus && (span.marks & SpanMarks.outcome) === 0;
}
