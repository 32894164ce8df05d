/** Runs the `weft` command in a process of its own. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../../scripts/spawn-node.ts";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const main = new URL("../../src/main.ts", import.meta.url);

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Without the caller's own collector and token: a test must not depend on them. */
function childEnv(env: RunOptions["env"] = {}): NodeJS.ProcessEnv {
  const { WEFT_COLLECTOR: _, WEFT_TOKEN: __, ...rest } = process.env;
  return { ...rest, ...env };
}

export async function runWeft(args: readonly string[], { cwd, env }: RunOptions = {}): Promise<Finished> {
  const child = spawnNode(main, args, { env: childEnv(env), ...(cwd === undefined ? {} : { cwd }) });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

export interface Started {
  /** The next line of stdout. */
  line(): Promise<string>;
  /** Sends the signal and resolves to how it ended. */
  stop(
    signal: "SIGINT" | "SIGTERM",
  ): Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

export function startWeft(t: TestContext, args: readonly string[], { cwd, env }: RunOptions = {}): Started {
  const child = spawnNode(main, args, {
    env: childEnv(env),
    stdio: ["ignore", "pipe", "inherit"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  t.after(() => child.kill("SIGKILL"));
  if (child.stdout === null) throw new TypeError("stdout is a pipe");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    line: async () => String((await lines.next()).value),
    stop: async (signal) => {
      const exited = once(child, "exit") as Promise<[number | null, string | null]>;
      child.kill(signal);
      const [code, ended] = await exited;
      return { code, signal: ended };
    },
  };
}
