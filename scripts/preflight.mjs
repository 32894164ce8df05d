// Every script of this repository starts here. Plain JavaScript on purpose: it must run on the old Node that it turns away.
//
//   node scripts/preflight.mjs              checks and ends
//   node scripts/preflight.mjs demo --once  checks, then runs scripts/demo.ts with what follows

import { fileURLToPath } from "node:url";

const needed = 24;
const [major = 0] = process.versions.node.split(".").map(Number);

if (major < needed) {
  const platform = `${process.platform}-${process.arch}`;
  const shipped = ["linux-x64", "linux-arm64", "darwin-x64", "win32-x64"].includes(platform);
  const remedy = shipped
    ? "`npm ci` (not with --omit=optional) brings Node 24 for this platform; then start through npm: npm run …"
    : `No Node 24 is published as an npm package for ${platform}${platform === "darwin-arm64" ? " (Apple silicon)" : ""}: install Node ${needed} or newer from nodejs.org or with your version manager.`;
  process.stderr.write(
    `Weft needs Node ${needed} or newer; this is ${process.version} (${platform}).\n${remedy}\n`,
  );
  process.exit(1);
}

const [, , name, ...args] = process.argv;
if (name !== undefined) {
  // The script sees the arguments as if it had been started by itself.
  const script = new URL(`./${name}.ts`, import.meta.url);
  process.argv.splice(1, process.argv.length, fileURLToPath(script), ...args);
  await import(script.href);
}
