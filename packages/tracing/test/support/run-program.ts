import type { ChildProcess } from "node:child_process";
// @boundaries-ignore tests of every package share the one spawnNode
// @boundaries-ignore the one way to start a Node
import { spawnNode } from "../../../../scripts/spawn-node.ts";

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  /** Resolves when the program has printed `text`. */
  printed(text: string): Promise<void>;
  readonly end: Promise<ProgramEnd>;
}

const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([key]) => !key.startsWith("WEFT_") && !key.startsWith("OTEL_")),
);

/** Starts a program of test/programs in a Node of its own, with no tracing variables but those given. */
export function runProgram(
  name: string,
  args: readonly string[],
  environment: Record<string, string>,
): Program {
  const child = spawnNode(new URL(`../programs/${name}.ts`, import.meta.url), args, {
    env: { ...inherited, ...environment },
  });
  let stdout = "";
  let stderr = "";
  const waiting: { text: string; resolve: () => void }[] = [];
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const { text, resolve } of waiting) if (stdout.includes(text)) resolve();
  });
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const end = Promise.withResolvers<ProgramEnd>();
  child.on("close", (code, signal) => end.resolve({ code, signal, stdout, stderr }));
  return {
    child,
    printed: (text) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (stdout.includes(text)) resolve();
      else waiting.push({ text, resolve });
      return promise;
    },
    end: end.promise,
  };
}
