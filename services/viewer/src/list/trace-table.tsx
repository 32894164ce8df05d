import { useMemo, useState } from "react";
import type { TraceSummary } from "@weft/tracing/http";
import { linkTo, navigate } from "../router/use-route.ts";
import type { Route } from "../router/route.ts";
import { assignHues } from "../trace/service-hues.ts";
import { listCommand } from "../trace/tree-keys.ts";
import { formatClock, formatCost, formatCount, formatDay, formatDuration } from "../ui/format.ts";
import { HuesContext, ServiceChip } from "../ui/service-chip.tsx";
import { StateBadge } from "../ui/state-badge.tsx";
import { narrowQuery, useMedia } from "../ui/use-media.ts";
import { WindowedRows } from "../ui/windowed-rows.tsx";
import type { RowProps } from "../ui/windowed-rows.tsx";

const rowHeight = 52;
const cardHeight = 108;
/** Two lines of two; where there are more, the last place tells how many. */
const chipPlaces = 4;

const columns = [
  "Trace",
  "Services",
  "Agents",
  "Started",
  "Duration",
  "Turns",
  "Spans",
  "Tokens",
  "Cost",
  "State",
] as const;

export interface TraceTableProps {
  readonly traces: readonly TraceSummary[];
  readonly onReachEnd: () => void;
}

export function TraceTable({ traces, onReachEnd }: TraceTableProps) {
  const narrow = useMedia(narrowQuery);
  const [activeId, setActiveId] = useState<string>();
  const active = useMemo(() => traces.findIndex(({ traceId }) => traceId === activeId), [traces, activeId]);
  const activate = (row: number): void => setActiveId(traces[row]?.traceId);
  const onKey = (key: string, page: number): boolean => {
    const command = listCommand({ key, page, active, count: traces.length });
    if (command?.type === "move") activate(command.row);
    if (command?.type === "open") open(traces[command.row]);
    return command !== undefined;
  };
  return (
    <WindowedRows
      role="grid"
      label="Traces, newest first"
      className="trace-table"
      count={traces.length}
      columns={columns.length}
      rowHeight={narrow ? cardHeight : rowHeight}
      active={active}
      rowKey={(row) => traces[row]?.traceId ?? ""}
      header={<Head />}
      onKey={onKey}
      onEnter={() => active < 0 && activate(0)}
      onReachEnd={onReachEnd}
      renderRow={(row, props) => {
        const trace = traces[row];
        return trace === undefined ? undefined : <Row key={trace.traceId} trace={trace} props={props} />;
      }}
    />
  );
}

function Head() {
  return (
    <div role="row" aria-rowindex={1} className="trace-row trace-head">
      {columns.map((column) => (
        <span key={column} role="columnheader" className={`cell-${column.toLowerCase()}`}>
          {column}
        </span>
      ))}
    </div>
  );
}

function Row({ trace, props }: { readonly trace: TraceSummary; readonly props: RowProps }) {
  const { onClick, href } = linkTo(routeOf(trace));
  const start = Date.parse(trace.startTime);
  const hues = useMemo(() => assignHues(trace.services), [trace.services]);
  const chips = hues.size > chipPlaces ? chipPlaces - 1 : chipPlaces;
  return (
    <div {...props} className="trace-row" data-state={trace.state} onClick={onClick}>
      <span role="gridcell" className="cell-trace">
        <a className="trace-name" href={href} tabIndex={-1}>
          {trace.rootName || "unnamed"}
        </a>
        <span className="trace-id mono">{trace.traceId.slice(0, 16)}</span>
      </span>
      <span role="gridcell" className="cell-services">
        <HuesContext value={hues}>
          {[...hues.keys()].slice(0, chips).map((service) => (
            <ServiceChip key={service} service={service} />
          ))}
        </HuesContext>
        {hues.size > chips && <span className="more">+{hues.size - chips} more</span>}
      </span>
      <span role="gridcell" className="cell-agents" title={trace.agents.join(", ")}>
        <span className="agent-names">{trace.agents.join(", ") || "–"}</span>
      </span>
      <span role="gridcell" className="cell-started">
        <time dateTime={trace.startTime}>
          {formatClock(start)}
          <span className="day">{formatDay(start)}</span>
        </time>
      </span>
      <span role="gridcell" className="cell-duration figure">
        {formatDuration(trace.durationMs)}
      </span>
      <Figures trace={trace} />
      <span role="gridcell" className="cell-state">
        <StateBadge state={trace.state} />
      </span>
    </div>
  );
}

/** `data-unit` is what a card shows in place of the column's head. */
function Figures({ trace }: { readonly trace: TraceSummary }) {
  const tokens = trace.inputTokens + trace.outputTokens;
  return (
    <>
      <span
        role="gridcell"
        className="cell-turns figure"
        data-none={trace.turns === 0}
        data-unit={trace.turns === 1 ? "turn" : "turns"}
      >
        {trace.turns}
      </span>
      <span
        role="gridcell"
        className="cell-spans figure"
        data-unit={trace.spanCount === 1 ? "span" : "spans"}
      >
        {formatCount(trace.spanCount)}
        {trace.errorCount > 0 && <span className="errors">{trace.errorCount} failed</span>}
      </span>
      <span
        role="gridcell"
        className="cell-tokens figure"
        data-none={tokens === 0}
        data-unit="tokens"
        title={`${trace.inputTokens.toLocaleString("en")} in, ${trace.outputTokens.toLocaleString("en")} out`}
      >
        {formatCount(tokens)}
      </span>
      <span role="gridcell" className="cell-cost figure" data-none={trace.cost === null}>
        {formatCost(trace.cost)}
      </span>
    </>
  );
}

function routeOf(trace: TraceSummary): Route {
  return { page: "trace", traceId: trace.traceId, tab: "waterfall" };
}

function open(trace: TraceSummary | undefined): void {
  if (trace !== undefined) navigate(routeOf(trace));
}
