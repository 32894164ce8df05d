import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
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
  /** Resolves when `text` stands on its stderr. */
  complained(text: string): Promise<void>;
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
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const end = Promise.withResolvers<ProgramEnd>();
  child.on("close", (code, signal) =>
    end.resolve({ code, signal, stdout: stdout.text(), stderr: stderr.text() }),
  );
  return {
    child,
    printed: (text) => stdout.has(text),
    complained: (text) => stderr.has(text),
    end: end.promise,
  };
}

function collect(stream: Readable | null): { text(): string; has(part: string): Promise<void> } {
  let all = "";
  const waiting: { part: string; resolve: () => void }[] = [];
  stream?.on("data", (chunk: Buffer) => {
    all += chunk.toString();
    for (const { part, resolve } of waiting) if (all.includes(part)) resolve();
  });
  return {
    text: () => all,
    has: (part) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (all.includes(part)) resolve();
      else waiting.push({ part, resolve });
      return promise;
    },
  };
}
