/** Finds the command, runs it, and turns its end into an exit code: 0, 1 for errors, 2 for bad usage. */
import { WeftError } from "@weft/tracing";
import { UsageError, writeLine } from "./command.ts";
import type { CommandEntry, Terminal } from "./command.ts";

export async function runCommand(
  commands: readonly CommandEntry[],
  args: readonly string[],
  terminal: Terminal,
  version: string,
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const topic = commands.find((command) => command.name === rest[0]);
    writeLine(terminal.stdout, topic === undefined ? overview(commands) : (await topic.load()).help);
    return name === undefined ? 2 : 0;
  }
  if (name === "--version") {
    writeLine(terminal.stdout, version);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    writeLine(terminal.stderr, `weft: there is no command ${name}; weft --help lists them`);
    return 2;
  }
  return await runOne(command, rest, terminal);
}

async function runOne(entry: CommandEntry, args: readonly string[], terminal: Terminal): Promise<number> {
  const command = await entry.load();
  if (args.includes("--help") || args.includes("-h")) {
    writeLine(terminal.stdout, command.help);
    return 0;
  }
  try {
    await command.run(args, terminal);
    return 0;
  } catch (error) {
    // Stopped by Ctrl-C is how these commands are meant to end.
    if (terminal.signal.aborted && WeftError.from(error).code === "aborted") return 0;
    const usage = error instanceof UsageError ? `\nweft ${entry.name} --help shows how it is used` : "";
    writeLine(terminal.stderr, `weft ${entry.name}: ${messageOf(error)}${usage}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function overview(commands: readonly CommandEntry[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: weft <command> [options]\n\n${lines.join("\n")}\n\nweft <command> --help says more.`;
}
