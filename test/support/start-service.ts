import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../scripts/spawn-node.ts";

export interface StartedService {
  readonly url: string;
  readonly pid: number;
  /** Ends the service's input and waits until it has drained and gone; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Longer than any service drains. */
const stopTimeoutMs = 30_000;

/**
 * Starts a module in a process of its own and waits for its first line, `{"url"}`. It is stopped when the test ends;
 * what it wrote to stderr is in the error when it does not start.
 */
export async function startService(
  t: TestContext,
  module: URL,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedService> {
  const child = spawnNode(module, args, { env: { ...process.env, ...environment } });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const stop = async () => {
    child.stdin?.end();
    const kill = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    const code = await exited;
    clearTimeout(kill);
    return code;
  };
  t.after(stop);
  const lines = createInterface({ input: child.stdout! });
  const url = await new Promise<string>((resolve, reject) => {
    lines.once("line", (line) => resolve((JSON.parse(line) as { url: string }).url));
    void exited.then((code) => reject(new Error(`${module.pathname} ended with code ${code}:\n${said}`)));
  });
  return { url, pid: child.pid!, stop };
}
