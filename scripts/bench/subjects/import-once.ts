/** Imports what it is told to, in a process of its own, and prints how many milliseconds that took. */
import process from "node:process";

const specifier = process.argv[2]!;
const start = performance.now();
await import(specifier);
process.stdout.write(`${performance.now() - start}\n`);
