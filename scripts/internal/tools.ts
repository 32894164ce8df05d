import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { spawnNode } from "../spawn-node.ts";
import type { SpawnNodeOptions } from "../spawn-node.ts";
import { root } from "./repository.ts";

/** How a program ended, and what it printed unless its output went straight through. */
export interface Ended {
  /** Its exit code; 1 when a signal ended it. */
  readonly code: number;
  /** stdout and stderr in the order they arrived; empty with `stdio: "inherit"`. */
  readonly output: string;
  /** What it printed to stdout alone. */
  readonly stdout: string;
}

/** No tool of ours reports home, looks for its own updates or keeps a background process. */
const quiet: NodeJS.ProcessEnv = {
  TURBO_TELEMETRY_DISABLED: "1",
  TURBO_NO_UPDATE_NOTIFIER: "1",
  DO_NOT_TRACK: "1",
};

/**
 * Runs a development tool (`turbo`, `oxlint`, `tsc`, …) by its package's own `bin` entry, in this very Node. That is the same on every
 * system: no shell, no `.cmd` shim, no path to guess.
 */
export function runTool(
  packageName: string,
  args: readonly string[],
  options: SpawnNodeOptions = {},
): Promise<Ended> {
  return runNode(binOf(packageName), args, options);
}

/** Runs a file in a Node of its own until it ends. Streams are inherited unless `stdio` says otherwise. */
export function runNode(
  file: string,
  args: readonly string[],
  options: SpawnNodeOptions = {},
): Promise<Ended> {
  const child = spawnNode(file, args, {
    cwd: root,
    stdio: "inherit",
    ...options,
    env: { ...process.env, ...quiet, ...options.env },
  });
  return new Promise((resolve, reject) => {
    const all: Buffer[] = [];
    const printed: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => void (all.push(chunk), printed.push(chunk)));
    child.stderr?.on("data", (chunk: Buffer) => all.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      const [output, stdout] = [all, printed].map((chunks) => Buffer.concat(chunks).toString());
      resolve({ code: code ?? 1, output: output ?? "", stdout: stdout ?? "" });
    });
  });
}

function binOf(packageName: string): string {
  const manifest = join(root, "node_modules", packageName, "package.json");
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: string | Record<string, string> };
  const [file] = typeof bin === "string" ? [bin] : Object.values(bin);
  return join(dirname(manifest), file ?? "");
}
