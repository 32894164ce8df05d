/** What a turn of an agent costs, beside the AI SDK, @openai/agents and a loop by hand. */
import { benchTurn } from "../../packages/agents/bench/turn.ts";
import { printTable } from "./subjects/print-table.ts";
import { writeResults } from "./subjects/write-results.ts";

const rows = await benchTurn();
const figures = new Map<string, Record<string, number>>();
for (const { name, case: kind, isTraced, us, kb } of rows) {
  const subject = isTraced ? `${name}, traced` : name;
  const row = figures.get(subject) ?? {};
  figures.set(subject, { ...row, [kind]: us, ...(kb === undefined ? {} : { [`${kind} kb`]: kb }) });
}
printTable("A turn, CPU us (ratio to a loop by hand)", figures, "by hand", [
  ["plain", "plain"],
  ["tool", "with a tool"],
]);
printTable("The same, KB a turn", figures, undefined, [
  ["plain kb", "plain"],
  ["tool kb", "with a tool"],
]);
writeResults("turn", { turn: rows });
