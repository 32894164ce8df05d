import { bearer, createRemoteAgent } from "@weft/runtime";
import { createAgentContext, createMessage, runTurn } from "@weft/runtime/agent";
import type { AgentEvent } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { WeftSpan } from "@weft/tracing";
import { parseArguments, writeJson, writeLine } from "../command/command.ts";
import type { Command, Terminal } from "../command/command.ts";
import { traceCommand } from "../process/trace-command.ts";

const help = `Usage: weft call <url> "text" [options]

Sends a text to an A2A agent, by its URL or its card's, and prints its answer. Traced when WEFT_COLLECTOR or
OTEL_EXPORTER_OTLP_ENDPOINT is set.

  --stream         print the answer as it comes
  --token <token>  sent as Authorization: Bearer (WEFT_TOKEN)
  --json           print { "from", "text", "traceId" }; with --stream one event a line, the answer last`;

const options = {
  stream: { type: "boolean", default: false },
  token: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

interface Reply {
  readonly from: string;
  readonly text: string;
  /** Absent when nothing traces. */
  readonly traceId?: string;
}

async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseArguments(args, options, 2);
  const [url = "", text = ""] = positionals;
  const token = values.token ?? terminal.env["WEFT_TOKEN"];
  await using _tracing = traceCommand("weft-call", terminal);
  await using agent = await createRemoteAgent(
    url,
    token === undefined || token === "" ? {} : { auth: bearer(token) },
  );
  const context = createAgentContext({ signal: terminal.signal });
  context.history.append(createMessage(text));
  const request = { messages: context.history.messages, newFrom: 0, contextVariables: {} };
  const printer = values.json ? jsonPrinter(terminal, values.stream) : textPrinter(terminal, values.stream);
  let reply: Reply | undefined;
  let traceId: string | undefined;
  const onMessage = (_: unknown, span: WeftSpan): void => {
    if (span.isRecording()) ({ traceId } = span);
  };
  for await (const event of runTurn(agent, request, context, { turn: 1, onMessage })) {
    if (event.type === "input-required") throw asksForInput(event);
    printer.event(event);
    if (event.type === "message" && event.path.length === 0) {
      reply = { from: event.from, text: event.text, ...(traceId === undefined ? {} : { traceId }) };
    }
  }
  if (reply === undefined) throw new WeftError("failed_precondition", `${agent.name} gave no answer`);
  printer.reply(reply);
}

interface Printer {
  event(event: AgentEvent): void;
  reply(reply: Reply): void;
}

function textPrinter({ stdout }: Terminal, stream: boolean): Printer {
  let streamed = "";
  return {
    event(event) {
      if (!stream || event.type !== "text-delta" || event.path.length > 0) return;
      streamed += event.text;
      stdout.write(event.text);
    },
    reply: ({ text }) =>
      writeLine(stdout, text.startsWith(streamed) ? text.slice(streamed.length) : `\n${text}`),
  };
}

function jsonPrinter({ stdout }: Terminal, stream: boolean): Printer {
  return {
    event(event) {
      if (stream) writeLine(stdout, JSON.stringify(event));
    },
    reply(reply) {
      if (stream) writeLine(stdout, JSON.stringify(reply));
      else writeJson(stdout, reply);
    },
  };
}

function asksForInput(event: AgentEvent & { readonly type: "input-required" }): WeftError {
  return new WeftError(
    "failed_precondition",
    `${event.from} asks for input, which this command cannot give yet: ${event.prompt}`,
  );
}

export const call: Command = { help, run };
