import type { TraceState } from "@weft/tracing/http";

const words: Readonly<Record<TraceState, string>> = {
  RUNNING: "Running",
  SUSPENDED: "Suspended",
  OK: "OK",
  ERROR: "Error",
  CANCELLED: "Cancelled",
  LOST: "Lost",
};

export function StateBadge({ state }: { readonly state: TraceState }) {
  return (
    <span className="state" data-state={state}>
      <span className="state-dot" />
      {words[state] ?? state}
    </span>
  );
}
