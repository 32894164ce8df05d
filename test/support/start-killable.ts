import { once } from "node:events";
import { createInterface } from "node:readline";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../scripts/spawn-node.ts";

export interface KillableService {
  readonly url: string;
  /** Resolves once the process has said `wanted` lines since it was ready. */
  steps(wanted: number): Promise<void>;
  /** Kills the process, or ends its input, and waits until it has gone. */
  end(signal?: "SIGKILL"): Promise<void>;
}

/** Starts a service in a process of its own: its first line is `{"url"}`, each one after that a step it has begun. */
export async function startKillable(
  module: URL,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<KillableService> {
  const child = spawnNode(module, args, { env: { ...process.env, ...environment } });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout! });
  const [first] = (await once(lines, "line")) as [string];
  const begun = { steps: 0 };
  const waiting = new Set<() => void>();
  lines.on("line", () => {
    begun.steps++;
    for (const wake of waiting) wake();
  });
  return {
    url: (JSON.parse(first) as { url: string }).url,
    async steps(wanted: number): Promise<void> {
      while (begun.steps < wanted) await new Promise<void>((resolve) => waiting.add(resolve));
    },
    async end(signal?: "SIGKILL"): Promise<void> {
      if (signal) child.kill(signal);
      else child.stdin!.end();
      await exited;
    },
  };
}
