import { fetchTrace } from "../collector/collector-client.ts";
import { collectorHelp, collectorOptions, toTarget } from "../collector/collector-options.ts";
import { parseArguments, UsageError, writeJson, writeLine } from "../command/command.ts";
import type { Command, Terminal } from "../command/command.ts";
import { formatTrace } from "../trace/format-trace.ts";

const help = `Usage: weft trace <id> [options]

Prints a trace as a tree: agents, tools, models, speaker selections, with tokens, time and service.

${collectorHelp}
  --json             print the trace as OTLP JSON`;

const options = { ...collectorOptions, json: { type: "boolean", default: false } } as const;

async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseArguments(args, options, 1);
  const [id = ""] = positionals;
  if (!/^[0-9a-f]{32}$/i.test(id)) throw new UsageError(`${id} is not a trace id: it has 32 hex digits`);
  const found = await fetchTrace(id, toTarget(values, terminal));
  if (values.json) writeJson(terminal.stdout, found);
  else writeLine(terminal.stdout, formatTrace(found, { colour: terminal.colour }));
}

export const trace: Command = { help, run };
