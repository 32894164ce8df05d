/*
 * Runs one foreign command: the one place of this package that starts processes.
 *
 * Job: starts it in a process group of its own, collects what it writes, ends it when its time is up.
 * Owns: the process group. Does not own: what is run, or where.
 *
 * I1  When it returns, nothing of the group runs any more.
 * I2  It keeps at most `maxOutputBytes`, and says what it cut.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { WeftError } from "@weft/tracing";
import type { CodeResult } from "./code-executor.ts";

export interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
}

const timeoutExitCode = 124;
const missingExitCode = 127;

/** Rejects with `aborted` when `signal` fires; every other end is a result. */
export function runCommand(
  [file, ...args]: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<CodeResult> {
  const { signal, cwd, env, timeoutMs, maxOutputBytes } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const output = new CappedOutput(maxOutputBytes);
    let reason: CodeResult["reason"];
    const timer = setTimeout(() => {
      reason = "timeout";
      killGroup(child);
    }, timeoutMs);
    const abort = (): void => killGroup(child);
    signal.addEventListener("abort", abort, { once: true });
    const finish = (exitCode: number): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      killGroup(child);
      if (signal.aborted)
        return reject(new WeftError("aborted", "The code was stopped.", { cause: signal.reason }));
      resolve({ exitCode, output: output.text(), ...(reason ? { reason } : {}) });
    };
    child.stdout.on("data", (chunk: Buffer) => output.add(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.add(chunk));
    child.on("error", (error) => {
      reason = "unavailable";
      output.add(Buffer.from(`${file} cannot be run: ${error.message}\n`));
      finish(missingExitCode);
    });
    // What the command left behind may hold its pipes open: the group ends with its leader.
    child.on("exit", () => killGroup(child));
    child.on("close", (code) => finish(reason === "timeout" ? timeoutExitCode : (code ?? 1)));
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it runs any more.
  }
}

class CappedOutput {
  readonly #chunks: Buffer[] = [];
  readonly #limit: number;
  #kept = 0;
  #cut = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, Math.max(0, this.#limit - this.#kept));
    if (kept.length > 0) this.#chunks.push(kept);
    this.#kept += kept.length;
    this.#cut += chunk.length - kept.length;
  }

  text(): string {
    const text = Buffer.concat(this.#chunks).toString("utf8");
    return this.#cut === 0 ? text : `${text}\n[${this.#cut} bytes of output were cut]\n`;
  }
}
