import type { ReactNode } from "react";
import type { TraceHealth, TraceState as TraceStateWord } from "@weft/tracing/http";
import { SpanFlags } from "../data/skeleton.ts";
import type { TraceState } from "../data/trace-store.ts";
import { formatCost, formatCount, formatDuration, formatNumberOf, formatTime } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { ServiceChip } from "../ui/service-chip.tsx";
import { StateBadge } from "../ui/state-badge.tsx";
import type { TraceTree } from "./trace-tree.ts";

export interface TraceHeaderProps {
  readonly name: string;
  readonly state: TraceState;
  readonly tree: TraceTree;
  readonly services: readonly string[];
}

export function TraceHeader({ name, state, tree, services }: TraceHeaderProps) {
  const summary = state.summary?.ok === true ? state.summary.value : undefined;
  const { skeleton } = tree;
  const word = summary?.state ?? stateOf(tree);
  const startTime = new Date(skeleton.startTime);
  return (
    <header className="trace-header">
      <div className="trace-title">
        <h1>{name}</h1>
        <StateBadge state={word} />
        <time className="trace-start" dateTime={startTime.toISOString()}>
          {formatTime(skeleton.startTime, Date.now())}
        </time>
      </div>
      <dl className="facts">
        <Figure name="Duration">{formatDuration(tree.durationMs)}</Figure>
        <Figure name="Spans">{skeleton.count.toLocaleString("en")}</Figure>
        {tree.errorCount > 0 && (
          <Figure name="Failed">
            <span className="bad">{tree.errorCount}</span>
          </Figure>
        )}
        {summary !== undefined && (
          <>
            <Figure name="Turns">{summary.turns}</Figure>
            <Figure name="Tokens">
              {formatCount(summary.inputTokens)} in, {formatCount(summary.outputTokens)} out
            </Figure>
            <Figure name="Cost">{formatCost(summary.cost)}</Figure>
          </>
        )}
        {state.health?.ok === true && (
          <Figure name="Health">
            <Health health={state.health.value} running={word === "RUNNING"} />
          </Figure>
        )}
      </dl>
      <ul className="legend" aria-label="Services">
        {services.map((service) => (
          <li key={service}>
            <ServiceChip service={service} />
          </li>
        ))}
      </ul>
    </header>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What a running trace lacks may still come: that is no fault yet. */
function Health({ health, running }: { readonly health: TraceHealth; readonly running: boolean }) {
  if (health.ok) {
    return (
      <span className="health good">
        <Icon name="check" size={14} />
        one trace, whole
      </span>
    );
  }
  return (
    <span
      className={running ? "health warn" : "health bad"}
      title={health.brokenHops.map(({ to, reason }) => `${to}: ${reason}`).join("\n")}
    >
      <Icon name="warning" size={14} />
      {complaints(health).join(", ")}
    </span>
  );
}

function complaints(health: TraceHealth): readonly string[] {
  const { roots, orphans, brokenHops, openSpans, lostSpans, droppedSpans } = health;
  const counted = (count: number, one: string, many?: string): readonly string[] =>
    count === 0 ? [] : [formatNumberOf(count, one, many)];
  return [
    ...(roots === 1 ? [] : [roots === 0 ? "no root yet" : `${roots} roots`]),
    ...counted(orphans, "orphan"),
    ...counted(brokenHops.length, "broken hop"),
    ...counted(openSpans, "open span"),
    ...counted(lostSpans, "lost span"),
    ...counted(droppedSpans, "dropped span"),
  ];
}

/** Until the summary comes: what the root says. */
function stateOf({ skeleton }: TraceTree): TraceStateWord {
  const flags = skeleton.count === 0 || skeleton.parent(0) >= 0 ? SpanFlags.open : skeleton.flags(0);
  if ((flags & (SpanFlags.open | SpanFlags.orphan)) !== 0) return "RUNNING";
  if ((flags & SpanFlags.lost) !== 0) return "LOST";
  return (flags & SpanFlags.error) === 0 ? "OK" : "ERROR";
}
