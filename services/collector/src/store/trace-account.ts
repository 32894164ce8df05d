/** A trace's summary as it grows, span by span. */
import type { TraceState, TraceSummary } from "@weft/tracing/http";
import { Attr, Operations, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import { numberOf, textOf } from "../otlp/scan-request.ts";
import type { ScannedSpan } from "../otlp/scan-request.ts";
import { errorStatus, SpanKinds } from "./span-marks.ts";

export interface TraceAccount {
  readonly no: number;
  readonly traceId: string;
  start: bigint;
  end: bigint;
  rootName: string;
  /** Undefined until a root came; then the earliest root's. */
  rootStart: bigint | undefined;
  state: TraceState;
  spanCount: number;
  errorCount: number;
  turns: number;
  inputTokens: number;
  outputTokens: number;
  cost: number | null;
  readonly services: Set<string>;
  readonly agents: Set<string>;
}

export function newAccount(no: number, span: ScannedSpan): TraceAccount {
  return {
    no,
    traceId: span.traceId,
    start: span.start,
    end: span.start,
    rootName: span.name,
    rootStart: undefined,
    state: "RUNNING",
    spanCount: 0,
    errorCount: 0,
    turns: 0,
    inputTokens: 0,
    outputTokens: 0,
    cost: null,
    services: new Set(),
    agents: new Set(),
  };
}

/** Adds a span that was not stored before. */
export function addToAccount(account: TraceAccount, span: ScannedSpan, type: string): void {
  // Until the root comes, the earliest span lends the trace its name.
  if (account.rootStart === undefined && span.start < account.start) account.rootName = span.name;
  if (span.start < account.start) account.start = span.start;
  if (span.end > account.end) account.end = span.end;
  account.spanCount += 1;
  if (span.statusCode === errorStatus) account.errorCount += 1;
  // A remote agent's turn is counted where it runs, not where it is called.
  if (type === SpanTypes.agent && span.kind !== SpanKinds.client) account.turns += 1;
  account.services.add(span.group.service);
  const agent = textOf(span, Attr.agentName);
  if (agent !== "") account.agents.add(agent);
  if (type === SpanTypes.llm) addUsage(account, span);
  if (span.parentId === "") addRoot(account, span);
}

/** Takes back what the closing of `span` added: it was an error and used no tokens. */
export function removeClosing(account: TraceAccount, span: ScannedSpan, type: string): void {
  account.spanCount -= 1;
  account.errorCount -= 1;
  if (type === SpanTypes.agent && span.kind !== SpanKinds.client) account.turns -= 1;
  if (span.parentId === "" && account.rootStart === span.start) {
    account.rootStart = undefined;
    account.state = "RUNNING";
  }
}

function addUsage(account: TraceAccount, span: ScannedSpan): void {
  account.inputTokens += Math.trunc(numberOf(span, Attr.usageInputTokens));
  account.outputTokens += Math.trunc(numberOf(span, Attr.usageOutputTokens));
  if (span.values.has(Attr.cost)) account.cost = (account.cost ?? 0) + numberOf(span, Attr.cost);
}

function addRoot(account: TraceAccount, span: ScannedSpan): void {
  if (account.rootStart !== undefined && account.rootStart <= span.start) return;
  account.rootStart = span.start;
  account.rootName = span.name;
  account.state = stateOf(span);
}

function stateOf(span: ScannedSpan): TraceState {
  const outcome = textOf(span, Attr.outcome);
  if (outcome === Outcomes.suspended) return "SUSPENDED";
  if (outcome === Outcomes.lost) return "LOST";
  if (outcome === Outcomes.cancelled) return "CANCELLED";
  if (span.end === 0n) return "RUNNING";
  return span.statusCode === errorStatus ? "ERROR" : "OK";
}

const typesOfOperations: Readonly<Record<string, string>> = {
  [Operations.chat]: SpanTypes.llm,
  text_completion: SpanTypes.llm,
  generate_content: SpanTypes.llm,
  [Operations.invokeAgent]: SpanTypes.agent,
  [Operations.executeTool]: SpanTypes.tool,
  [Operations.invokeWorkflow]: SpanTypes.workflow,
};

/** The span's type, or the one its GenAI operation implies: spans of other producers have no `weft.span.type`. */
export function typeOf(span: ScannedSpan): string {
  return textOf(span, Attr.spanType) || (typesOfOperations[textOf(span, Attr.operationName)] ?? "");
}

export function toSummary(account: TraceAccount): TraceSummary {
  return {
    traceId: account.traceId,
    rootName: account.rootName,
    startTime: isoTime(account.start),
    durationMs: milliseconds(account.end - account.start),
    spanCount: account.spanCount,
    errorCount: account.errorCount,
    services: [...account.services],
    agents: [...account.agents],
    turns: account.turns,
    inputTokens: account.inputTokens,
    outputTokens: account.outputTokens,
    cost: account.cost,
    state: account.state,
  };
}

export function isoTime(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  // Beyond what a Date can hold (the year 275760) a clock is wrong anyway.
  return new Date(Math.min(milliseconds, 8.64e15)).toISOString();
}

export function milliseconds(nanoseconds: bigint): number {
  return Math.max(0, Number(nanoseconds) / 1e6);
}
