import process from "node:process";

/** Prints one line a subject: each figure, and its ratio to the subject `base`. */
export function printTable(
  title: string,
  rows: ReadonlyMap<string, Readonly<Record<string, number>>>,
  base: string | undefined,
  columns: readonly (readonly [key: string, label: string])[],
): void {
  const cells = [...rows].map(([subject, figures]) => [
    subject,
    ...columns.map(([key]) => {
      const figure = figures[key];
      if (figure === undefined) return "-";
      const reference = base === undefined ? undefined : rows.get(base)?.[key];
      return reference === undefined ? round(figure) : `${round(figure)} (${round(figure / reference)}x)`;
    }),
  ]);
  const table = [["", ...columns.map(([, label]) => label)], ...cells];
  const widths = table[0]?.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0))) ?? [];
  const lines = table.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  process.stdout.write(`\n${title}\n${lines.join("\n")}\n`);
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3);
}
