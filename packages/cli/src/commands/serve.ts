import { bearer, bindings as knownBindings, serve as serveAgents } from "@weft/runtime";
import type { Agents, Binding, ServeOptions, Service } from "@weft/runtime";
import {
  parseArguments,
  parsePort,
  UsageError,
  untilStopped,
  writeJson,
  writeLine,
} from "../command/command.ts";
import type { Command, Terminal } from "../command/command.ts";
import { loadAgents } from "../process/load-agents.ts";
import { traceCommand } from "../process/trace-command.ts";

const help = `Usage: weft serve <module> [options]

Serves the agent that the module exports as its default, or a record of agents each under /<key>, over A2A, until
Ctrl-C; then running tasks finish (at most 25 s). Traced when WEFT_COLLECTOR or OTEL_EXPORTER_OTLP_ENDPOINT is set.

  --host <host>        address to listen on (127.0.0.1); others than loopback need a token
  --port <port>        port to listen on (0: any free one)
  --bindings <names>   of jsonrpc,rest,ws,grpc (jsonrpc,rest,ws)
  --token <token>      what callers must send as Authorization: Bearer (WEFT_TOKEN)
  --public-url <url>   where others reach the service, when not at host and port
  --insecure           listen off loopback without a token
  --json               print { "url", "port", "agents" } when ready`;

const options = {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  bindings: { type: "string" },
  token: { type: "string" },
  "public-url": { type: "string" },
  insecure: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseArguments(args, options, 1);
  const bindings = values.bindings === undefined ? undefined : parseBindings(values.bindings);
  const token = values.token ?? terminal.env["WEFT_TOKEN"];
  const publicUrl = values["public-url"];
  const settings: ServeOptions = {
    host: values.host,
    port: parsePort(values.port),
    insecure: values.insecure,
    // The command drains at Ctrl-C itself.
    signals: false,
    ...(bindings === undefined ? {} : { bindings }),
    ...(token === undefined || token === "" ? {} : { auth: bearer(token) }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
  };
  const agents = await loadAgents(positionals[0] ?? "");
  await using _tracing = traceCommand(serviceName(agents), terminal);
  await using service = await serveAgents(agents, settings);
  report(service, values.json, terminal);
  await untilStopped(terminal.signal);
}

function report(service: Service, json: boolean, { stdout }: Terminal): void {
  const names = Object.keys(service.cards);
  if (json) return writeJson(stdout, { url: service.url, port: service.port, agents: names });
  writeLine(stdout, `serving ${names.join(", ")} at ${service.url}`);
  writeLine(stdout, "Ctrl-C ends it.");
}

function serviceName(agents: Agents): string {
  return typeof agents.name === "string" ? agents.name : Object.keys(agents).join("-");
}

function parseBindings(text: string): readonly Binding[] {
  return text.split(",").map((name) => {
    const binding = knownBindings.find((known) => known === name.trim());
    if (binding !== undefined) return binding;
    throw new UsageError(`${name} is no binding; known: ${knownBindings.join(", ")}`);
  });
}

export const serve: Command = { help, run };
