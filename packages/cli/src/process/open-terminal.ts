import process from "node:process";
import type { Terminal } from "../command/command.ts";

/** The exit codes that a shell gives a program ended by these signals. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The process as a terminal. The first Ctrl-C or SIGTERM aborts the running command, which then ends by itself; the
 * second ends the process, so that a command that does not end can be ended.
 */
export function openTerminal(): Terminal {
  const controller = new AbortController();
  const stop = (signal: "SIGINT" | "SIGTERM"): void => {
    if (controller.signal.aborted) process.exit(exitCodes[signal]);
    controller.abort();
  };
  // The listeners stay: tracing lets a signal take its course when nobody else listens.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  // A reader that closed the pipe (`weft traces | head`) has what it wanted.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
  });
  const { env } = process;
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    colour: process.stdout.isTTY && env["NO_COLOR"] === undefined,
    env,
    signal: controller.signal,
  };
}
