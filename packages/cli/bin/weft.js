#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on the old Node that it turns away.
import { existsSync } from "node:fs";

const built = new URL("../dist/main.js", import.meta.url);
const [major = 0] = process.versions.node.split(".").map(Number);

if (major < 24) {
  process.stderr.write(
    `weft needs Node 24 or newer; this is ${process.version}. Install it from nodejs.org.\n`,
  );
  process.exitCode = 1;
} else if (existsSync(built)) {
  await import(built.href);
} else {
  process.stderr.write("weft is not built yet: npm run build, at the root of the repository.\n");
  process.exitCode = 1;
}
