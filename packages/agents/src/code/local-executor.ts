import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CodeBlock, CodeExecutor, CodeResult, ExecutorLimits } from "./code-executor.ts";
import { runtimeOf } from "./code-executor.ts";
import { runCommand } from "./run-command.ts";

export interface LocalExecutorOptions extends ExecutorLimits {
  /** Where code runs and its files stay; default: a new folder for each message, removed afterwards. */
  readonly workDir?: string;
  /** Added to the few variables that code gets: PATH, HOME, TMPDIR, LANG. Nothing else of this process's reaches it. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs code as processes of this machine, as this user: it can do what the user can. Off unless given to an agent.
 * For code you would not run yourself take `dockerExecutor`.
 */
export function localExecutor(options: LocalExecutorOptions = {}): CodeExecutor {
  const { timeoutMs = 60_000, maxOutputBytes = 65_536, workDir, env = {} } = options;
  return {
    async execute(blocks, { signal }) {
      if (workDir !== undefined) await mkdir(workDir, { recursive: true });
      const folder = workDir ?? (await mkdtemp(join(tmpdir(), "weft-code-")));
      const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
      const base = { PATH: path, HOME: folder, TMPDIR: folder, LANG: "C.UTF-8", ...env };
      try {
        return await runBlocks(blocks, folder, timeoutMs, (command, restMs) =>
          runCommand(command, { cwd: folder, env: base, timeoutMs: restMs, maxOutputBytes, signal }),
        );
      } finally {
        if (workDir === undefined) await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Block by block until one fails; they share one time. */
export async function runBlocks(
  blocks: readonly CodeBlock[],
  folder: string,
  timeoutMs: number,
  run: (command: readonly [string, ...string[]], restMs: number) => Promise<CodeResult>,
): Promise<CodeResult> {
  const endAt = Date.now() + timeoutMs;
  let output = "";
  for (const [index, block] of blocks.entries()) {
    const runtime = runtimeOf(block);
    if (!runtime) {
      output += `There is no way to run "${block.language}" here.\n`;
      return { exitCode: 127, output, reason: "unknown-language" };
    }
    const file = `block-${index + 1}.${runtime.extension}`;
    await writeFile(join(folder, file), block.code);
    const result = await run(runtime.command(file), Math.max(1, endAt - Date.now()));
    output += result.output;
    if (result.exitCode !== 0) return { ...result, output };
  }
  return { exitCode: 0, output };
}
