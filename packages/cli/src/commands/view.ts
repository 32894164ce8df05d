import { startCollector } from "@weft/collector";
import { parseArguments, parsePort, untilStopped, writeJson, writeLine } from "../command/command.ts";
import type { Command, Terminal } from "../command/command.ts";

const help = `Usage: weft view [options]

Starts a collector with its viewer and stays until Ctrl-C. Programs send their traces to the address it prints:
startTracing({ collector: "http://127.0.0.1:4318" }), or WEFT_COLLECTOR, or OTEL_EXPORTER_OTLP_ENDPOINT.

  --host <host>    address to listen on (127.0.0.1); others than loopback need a token
  --port <port>    port to listen on (4318); 0: any free one
  --data <file>    where traces are kept (.weft/traces.db); "memory": nowhere
  --token <token>  what callers must send as Authorization: Bearer (WEFT_TOKEN)
  --insecure       listen off loopback without a token
  --json           print { "url", "port", "data" } when ready`;

const options = {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "4318" },
  data: { type: "string", default: ".weft/traces.db" },
  token: { type: "string" },
  insecure: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values } = parseArguments(args, options, 0);
  const token = values.token ?? terminal.env["WEFT_TOKEN"];
  const data = values.data === "memory" ? undefined : values.data;
  await using collector = await startCollector({
    host: values.host,
    port: parsePort(values.port),
    insecure: values.insecure,
    ...(data === undefined ? {} : { data }),
    ...(token === undefined || token === "" ? {} : { token }),
  });
  if (values.json)
    writeJson(terminal.stdout, { url: collector.url, port: collector.port, data: data ?? null });
  else {
    writeLine(terminal.stdout, `Weft traces: ${collector.url}`);
    writeLine(terminal.stdout, data === undefined ? "kept in memory" : `kept in ${data}`);
    writeLine(terminal.stdout, "Ctrl-C ends it.");
  }
  await untilStopped(terminal.signal);
}

export const view: Command = { help, run };
