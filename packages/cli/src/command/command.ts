/** What every command is made of. */
import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";
import { WeftError } from "@weft/tracing";

/** Where a command reads and writes: the process, or a test. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Whether colours are wanted on stdout. */
  readonly colour: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts at Ctrl-C and at SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** All of `weft <name> --help`. */
  readonly help: string;
  /** @throws UsageError for wrong arguments, WeftError for what went wrong */
  run(args: readonly string[], terminal: Terminal): Promise<void>;
}

/** A command by name, loaded when it is asked for: no command pays for another's servers and clients. */
export interface CommandEntry {
  readonly name: string;
  /** One line for `weft --help`. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Wrong arguments: exit code 2. */
export class UsageError extends WeftError {
  constructor(message: string) {
    super("invalid_argument", message);
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** `node:util` parseArgs, strict; what it refuses is a `UsageError`. */
export function parseArguments<T extends Options>(args: readonly string[], options: T, positionals: number) {
  const config = { args: [...args], options, allowPositionals: true, strict: true } as const;
  const parsed = refusing(() => parseArgs(config));
  if (parsed.positionals.length < positionals) throw new UsageError("an argument is missing");
  if (parsed.positionals.length > positionals) {
    throw new UsageError(`unexpected argument ${parsed.positionals[positionals] ?? ""}`);
  }
  return parsed;
}

function refusing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`${text} is not a port`);
}

export function writeLine(stream: NodeJS.WritableStream, line = ""): void {
  stream.write(`${line}\n`);
}

export function writeJson(stream: NodeJS.WritableStream, value: unknown): void {
  writeLine(stream, JSON.stringify(value, undefined, 2));
}

/** Resolves at Ctrl-C. */
export function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    // A listener alone would not keep the process: what runs until then must.
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
