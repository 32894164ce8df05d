/**
 * `npm run demo`: the desk, from its sources. It is started directly and not through turbo, so that its stdout is its own
 * (`npm run --silent demo -- --once --json` prints one JSON document and nothing else).
 */
import { join } from "node:path";
import process from "node:process";
import { root } from "./internal/repository.ts";
import { spawnNode } from "./spawn-node.ts";

const desk = spawnNode(join(root, "services/desk/src/main.ts"), process.argv.slice(2), {
  stdio: "inherit",
});

// The desk drains before it ends, and this process ends after it. Ctrl-C in a terminal reaches both; SIGTERM only the one it is sent to.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => desk.kill("SIGTERM"));
desk.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
