import { createInterface } from "node:readline";

import { spawnNode } from "@weft/cli/internal";
import { WeftError } from "@weft/tracing";

/** A desk process that said it is ready. */
export interface DeskProcess extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
}

export interface StartProcessOptions {
  readonly name: string;
  /** The module to run; it answers with `{"url"}` on its first line of output. */
  readonly module: URL;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** How long a process may take to stop by itself before it is killed. */
const stopTimeoutMs = 30_000;

/**
 * Starts a process and waits until it says where it listens. Rejects with `unavailable`, and what the process wrote
 * to its error output, when it ends before that.
 */
export async function startProcess(options: StartProcessOptions): Promise<DeskProcess> {
  const { name, module, args = [], environment = {}, signal } = options;
  const child = spawnNode(module, args, {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const said: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const stop = async (): Promise<void> => {
    child.stdin?.end();
    const kill = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await exited;
    clearTimeout(kill);
  };
  try {
    const url = await Promise.race([firstUrl(child.stdout), failed(name, exited, said), aborted(signal)]);
    return { name, url, [Symbol.asyncDispose]: stop };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function firstUrl(output: NodeJS.ReadableStream | null): Promise<string> {
  if (output !== null) {
    for await (const line of createInterface({ input: output })) {
      output.resume();
      return (JSON.parse(line) as { readonly url: string }).url;
    }
  }
  return new Promise(() => {});
}

async function failed(name: string, exited: Promise<number | null>, said: readonly string[]): Promise<never> {
  const code = await exited;
  throw new WeftError(
    "unavailable",
    `The desk's ${name} ended with code ${code} at its start:\n${said.join("")}`,
  );
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () =>
      reject(new WeftError("aborted", "The desk was stopped while starting.", { cause: signal.reason }));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
