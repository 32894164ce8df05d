/**
 * What it takes to import `@weft/agents`, as it is published, beside the AI SDK and @openai/agents: milliseconds in a process of its own.
 */
import { fileURLToPath } from "node:url";
import { WeftError } from "@weft/tracing";
import { runNode, runTool } from "../internal/tools.ts";
import { printTable } from "./subjects/print-table.ts";
import { writeResults } from "./subjects/write-results.ts";

const rounds = 15;
const subjects = { "AI SDK": "ai", "@openai/agents": "@openai/agents", Weft: "@weft/agents" };
const program = fileURLToPath(new URL("subjects/import-once.ts", import.meta.url));

const built = await runTool("typescript", ["-b", "packages/agents"]);
if (built.code !== 0) throw new WeftError("internal", "packages/agents cannot be built; tsc says why.");

const rows = new Map<string, { readonly ms: number }>();
// In turns, and the best counts: what else the machine does slows down all of them.
for (let round = 0; round < rounds; round++) {
  for (const [name, specifier] of Object.entries(subjects)) {
    const ms = await importOnce(specifier);
    rows.set(name, { ms: Math.min(ms, rows.get(name)?.ms ?? ms) });
  }
}
printTable(`An import, ms, the best of ${rounds} (ratio to Weft)`, rows, "Weft", [["ms", "import"]]);
writeResults("import", { import: Object.fromEntries(rows) });

async function importOnce(specifier: string): Promise<number> {
  const { code, output, stdout } = await runNode(program, [specifier], { stdio: "pipe", sources: false });
  if (code !== 0) throw new WeftError("internal", `Importing ${specifier} fails: ${output}`);
  return Number(stdout);
}
