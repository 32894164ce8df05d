/** `npm run build`: every package's `dist` by one `tsc -b`, then what a bundler builds, by turbo and from its cache where nothing changed. */
import process from "node:process";
import { runTool } from "./internal/tools.ts";

const packages = await runTool("typescript", ["-b", "packages/cli", "services/desk"]);
process.exitCode = packages.code === 0 ? (await runTool("turbo", ["run", "build"])).code : packages.code;
