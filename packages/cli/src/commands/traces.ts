import type { TraceSummary } from "@weft/tracing/http";
import { fetchTraceList } from "../collector/collector-client.ts";
import { collectorHelp, collectorOptions, toTarget } from "../collector/collector-options.ts";
import { parseArguments, UsageError, writeJson, writeLine } from "../command/command.ts";
import type { Command, Terminal } from "../command/command.ts";
import { coloured, plain } from "../trace/colours.ts";
import type { Palette } from "../trace/colours.ts";
import { printable } from "../trace/describe-span.ts";
import { formatMs } from "../trace/format-trace.ts";

const help = `Usage: weft traces [options]

Lists stored traces, newest first.

  --filter <filter>     service.name = '…' AND trace.status = 'ERROR'
  --limit <n>           how many, 1 to 1000 (20)
  --page-token <token>  where the page before ended
${collectorHelp}
  --json                print the list as the collector gave it`;

const options = {
  ...collectorOptions,
  filter: { type: "string" },
  limit: { type: "string", default: "20" },
  "page-token": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values } = parseArguments(args, options, 0);
  const pageToken = values["page-token"];
  const query = {
    pageSize: parseLimit(values.limit),
    ...(values.filter === undefined ? {} : { filter: values.filter }),
    ...(pageToken === undefined ? {} : { pageToken }),
  };
  const list = await fetchTraceList(query, toTarget(values, terminal));
  if (values.json) return writeJson(terminal.stdout, list);
  if (list.traces.length === 0) return writeLine(terminal.stdout, "no traces");
  const palette = terminal.colour ? coloured : plain;
  for (const line of table(list.traces, palette)) writeLine(terminal.stdout, line);
  if (list.nextPageToken !== undefined)
    writeLine(terminal.stdout, `more: --page-token ${list.nextPageToken}`);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= 1000) return limit;
  throw new UsageError("--limit takes a number from 1 to 1000");
}

function table(traces: readonly TraceSummary[], palette: Palette): readonly string[] {
  const rows = traces.map((trace) => [
    trace.traceId,
    trace.startTime.replace("T", " ").replace(/\.\d+Z$/, "Z"),
    trace.state,
    formatMs(trace.durationMs),
    String(trace.spanCount),
    String(trace.inputTokens + trace.outputTokens),
    printable(trace.rootName, 48),
    printable(trace.services.join(", "), 60),
  ]);
  const head = ["trace", "start (UTC)", "state", "duration", "spans", "tokens", "name", "services"];
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const right = new Set([3, 4, 5]);
  const format = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const lines = rows.map((row) =>
    row[2] === "ERROR" || row[2] === "LOST" ? palette.style("red", format(row)) : format(row),
  );
  return [palette.style("dim", format(head)), ...lines];
}

export const traces: Command = { help, run };
