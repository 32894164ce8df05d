import { randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CodeExecutor, CodeResult, ExecutorLimits } from "./code-executor.ts";
import { runBlocks } from "./local-executor.ts";
import { runCommand } from "./run-command.ts";

export interface DockerExecutorOptions extends ExecutorLimits {
  /** It must have the languages' commands (`sh`, `python3`, `node`); default `python:3-slim`. */
  readonly image?: string;
  /** The folder of this machine that is the container's `/workspace`; default: a new one for each message. */
  readonly workDir?: string;
  /** Default `none`: no network. */
  readonly network?: string;
  /** Default 512. */
  readonly memoryMb?: number;
  /** More of `docker run`'s own options. */
  readonly args?: readonly string[];
  /** Default `docker`. */
  readonly command?: string;
}

/** Runs each block in a fresh container of its own, by the Docker command line. */
export function dockerExecutor(options: DockerExecutorOptions = {}): CodeExecutor {
  const { timeoutMs = 60_000, maxOutputBytes = 65_536, workDir, command = "docker" } = options;
  const env = dockerEnvironment();
  return {
    async execute(blocks, { signal }) {
      if (workDir !== undefined) await mkdir(workDir, { recursive: true });
      const folder = workDir ?? (await mkdtemp(join(tmpdir(), "weft-code-")));
      // The container's user is another one.
      await chmod(folder, 0o777).catch(() => undefined);
      try {
        return await runBlocks(blocks, folder, timeoutMs, async (inside, restMs) => {
          const name = `weft-code-${randomUUID()}`;
          const run = [command, ...runArguments(options, name, folder), ...inside] as const;
          const limits = { cwd: folder, env, maxOutputBytes };
          try {
            return told(await runCommand(run, { ...limits, timeoutMs: restMs, signal }));
          } finally {
            // The command line is gone; its container need not be.
            const kill = [command, "rm", "--force", name] as const;
            await runCommand(kill, { ...limits, timeoutMs: 10_000, signal: new AbortController().signal });
          }
        });
      } finally {
        if (workDir === undefined) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      }
    },
  };
}

function runArguments(options: DockerExecutorOptions, name: string, folder: string): readonly string[] {
  const { image = "python:3-slim", network = "none", memoryMb = 512, args = [] } = options;
  const limits = ["--network", network, "--memory", `${memoryMb}m`, "--pids-limit", "256"];
  const safety = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
  const place = ["--volume", `${folder}:/workspace`, "--workdir", "/workspace"];
  return ["run", "--rm", "--init", "--name", name, ...limits, ...safety, ...place, ...args, image];
}

/** `docker run` exits with 125 when it was Docker that failed (no daemon, no image), not the code. */
function told(result: CodeResult): CodeResult {
  return result.exitCode === 125 ? { ...result, reason: "unavailable" } : result;
}

/** What the command line needs to find its daemon and login. */
function dockerEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => /^(PATH|HOME|DOCKER_.*)$/u.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}
