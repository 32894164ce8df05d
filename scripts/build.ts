/**
 * `npm run build`: every package's `dist` by one `tsc -b`, then the viewer by turbo, from its cache where nothing changed, and a copy of
 * it into the collector, whose package it ships in.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./internal/repository.ts";
import { runTool } from "./internal/tools.ts";

process.exitCode = await build();

async function build(): Promise<number> {
  const packages = await runTool("typescript", ["-b", "packages/cli", "services/desk"]);
  if (packages.code !== 0) return packages.code;
  const { code } = await runTool("turbo", ["run", "build"]);
  if (code !== 0) return code;
  const shipped = join(root, "services/collector/viewer");
  rmSync(shipped, { recursive: true, force: true });
  cpSync(join(root, "services/viewer/dist"), shipped, { recursive: true });
  return 0;
}
