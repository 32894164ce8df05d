/** A trace as a tree for the terminal. */
import { stripVTControlCharacters } from "node:util";
import type { OtlpTraces } from "@weft/tracing/http";
import { withNamedTexts } from "@weft/tracing/view";
import { Attr, SpanTypes } from "@weft/tracing/vocabulary";
import { coloured, plain } from "./colours.ts";
import type { Palette } from "./colours.ts";
import { describeSpan, isError, printable, spanType, tokens } from "./describe-span.ts";
import { buildTraceTree, compareTimes, durationMs } from "./trace-tree.ts";
import type { TraceNode } from "./trace-tree.ts";

export interface FormatTraceOptions {
  /** ANSI colours. Default false. */
  readonly colour?: boolean;
  /** The widest that labels push the times to the right, in columns. Default 96. */
  readonly width?: number;
}

interface Line {
  readonly label: string;
  readonly columns: number;
  readonly duration: string;
  readonly service: string;
}

/**
 * The tree of a trace: agents, tools, models, speaker selections, with tokens, time and service, one span a line; a
 * line of totals before it. Ends without a newline.
 */
export function formatTrace(trace: OtlpTraces, options: FormatTraceOptions = {}): string {
  const { colour = false, width = 96 } = options;
  const palette = colour ? coloured : plain;
  const tops = buildTraceTree(withNamedTexts(trace));
  const lines: Line[] = [];
  const services = new Map<string, number>();
  for (const { node, prefix } of walk(tops)) {
    if (!services.has(node.service)) services.set(node.service, services.size);
    const label = palette.style("dim", prefix) + describeSpan(node, palette);
    lines.push({
      label,
      columns: stripVTControlCharacters(label).length,
      duration: formatDuration(node),
      service: palette.hue(services.get(node.service) ?? 0, printable(node.service, 40)),
    });
  }
  const longest = Math.max(0, ...lines.map(({ columns }) => columns).filter((columns) => columns <= width));
  const body = lines.map(({ label, columns, duration, service }) => {
    const gap = " ".repeat(Math.max(0, longest - columns));
    return `${label}${gap}  ${palette.style("dim", duration.padStart(8))}  ${service}`;
  });
  return [totals(tops, services.size, palette), ...body].join("\n");
}

/** Depth first, without recursion: a trace may be deeper than the stack. */
function* walk(tops: readonly TraceNode[]): Generator<{ readonly node: TraceNode; readonly prefix: string }> {
  const stack = tops.map((node) => ({ node, prefix: "", indent: "" })).toReversed();
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { node, prefix, indent } = entry;
    yield { node, prefix };
    const children = node.children.map((child, index) => {
      const last = index === node.children.length - 1;
      return {
        node: child,
        prefix: indent + (last ? "└─ " : "├─ "),
        indent: indent + (last ? "   " : "│  "),
      };
    });
    stack.push(...children.toReversed());
  }
}

function totals(tops: readonly TraceNode[], services: number, palette: Palette): string {
  const nodes = [...walk(tops)].map(({ node }) => node);
  if (nodes.length === 0) return "an empty trace";
  const models = nodes.filter((node) => spanType(node) === SpanTypes.llm);
  const sum = (key: string): number => models.reduce((total, node) => total + (node.number(key) ?? 0), 0);
  const errors = nodes.filter(isError).length;
  const orphans = nodes.filter(({ orphan }) => orphan).length;
  const roots = tops.length - orphans;
  const facts = [
    `${String(nodes.length)} ${nodes.length === 1 ? "span" : "spans"}`,
    `${String(services)} ${services === 1 ? "service" : "services"}`,
    formatMs(spanOfTime(nodes)),
    models.length === 0 ? "" : tokens(sum(Attr.usageInputTokens), sum(Attr.usageOutputTokens)),
    errors === 0 ? "" : palette.style("red", `${String(errors)} failed`),
    roots === 1 ? "" : palette.style("yellow", `${String(roots)} roots`),
    orphans === 0 ? "" : palette.style("yellow", `${String(orphans)} without their parent`),
  ];
  const id = nodes[0]?.span.traceId ?? "";
  return `trace ${palette.style("bold", id)}  ${facts.filter((fact) => fact !== "").join(" · ")}`;
}

function spanOfTime(nodes: readonly TraceNode[]): number {
  const starts = nodes.map(({ span }) => span.startTimeUnixNano).sort(compareTimes);
  const ends = nodes.map(({ span }) => span.endTimeUnixNano).sort(compareTimes);
  return Number(BigInt(ends.at(-1) ?? 0) - BigInt(starts[0] ?? 0)) / 1e6;
}

function formatDuration({ span }: TraceNode): string {
  return span.endTimeUnixNano === "0" ? "running" : formatMs(durationMs(span));
}

/** `0.42 ms`, `17 ms`, `1.24 s`, `2 m 05 s`. */
export function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60))} m ${String(seconds % 60).padStart(2, "0")} s`;
}
