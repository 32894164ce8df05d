/**
 * `npm run demo`: the desk, from its sources. It is started directly and not through turbo, so that its stdout is its own
 * (`npm run --silent demo -- --once --json` prints one JSON document and nothing else). A demo that stays shows its trace in the
 * viewer, so that is built first; from turbo's cache when nothing changed.
 */
import { join } from "node:path";
import process from "node:process";
import { root } from "./internal/repository.ts";
import { runTool } from "./internal/tools.ts";
import { spawnNode } from "./spawn-node.ts";

const args = process.argv.slice(2);
if (!args.includes("--once") && !args.includes("--help") && !args.includes("-h")) {
  const { code, output } = await runTool("turbo", ["run", "build", "--filter=@weft/viewer"], {
    stdio: "pipe",
  });
  if (code !== 0)
    process.stderr.write(`${output}\nThe viewer could not be built; the demo goes on without it.\n`);
}

const desk = spawnNode(join(root, "services/desk/src/main.ts"), args, { stdio: "inherit" });

// The desk drains before it ends, and this process ends after it. Ctrl-C in a terminal reaches both; SIGTERM only the one it is sent to.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => desk.kill("SIGTERM"));
desk.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
