// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../scripts/spawn-node.ts";

export interface RunningDemo {
  /** The trace's page in the viewer, as the demo says it. */
  readonly link: string;
  /** Presses Ctrl-C and waits for the end; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `npm run demo` as a person does and waits until it shows where its trace is. */
export async function startDemo(): Promise<RunningDemo> {
  const { WEFT_MODEL: _, ...env } = process.env;
  const demo = spawnNode(new URL("../../scripts/demo.ts", import.meta.url), [], { env, detached: true });
  const ended = new Promise<number | null>((resolve) => demo.once("close", resolve));
  let printed = "";
  demo.stderr?.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const link = await new Promise<string>((resolve, reject) => {
    demo.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const found = /viewer: (http:\S+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then((code) => reject(new TypeError(`the demo ended with code ${code}:\n${printed}`)));
  });
  const stop = (): Promise<number | null> => {
    // A terminal's Ctrl-C reaches the whole process group.
    if (demo.pid !== undefined && demo.exitCode === null) process.kill(-demo.pid, "SIGINT");
    return ended;
  };
  return { link, stop };
}
