/**
 * `npm run verify`: everything that has to hold, cheapest first, each step named with its time. Stops at the first failure with what
 * to do about it. `npm run verify -- --from lint` starts at a step, `--skip tests` leaves one out, `--list` names them.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { checkInstalledPackages } from "./internal/installed-packages.ts";
import { publicWorkspaces, root } from "./internal/repository.ts";
import { runNode, runTool } from "./internal/tools.ts";

interface Step {
  readonly name: string;
  /** What to do when it fails. */
  readonly remedy: string;
  /** Resolves with an exit code. */
  readonly run: () => Promise<number>;
}

const tool = (name: string, ...args: readonly string[]): Promise<number> =>
  runTool(name, args).then(({ code }) => code);

const steps: readonly Step[] = [
  { name: "format", remedy: "npm run format", run: () => tool("oxfmt", "--check", ".") },
  {
    name: "types",
    remedy: "fix the types; npm run types shows them again",
    run: () => tool("typescript", "-b"),
  },
  {
    name: "build",
    remedy: "npm run build shows it again",
    run: () => runNode(join(root, "scripts/build.ts"), []).then(({ code }) => code),
  },
  {
    name: "lint",
    remedy: "npm run lint -- --fix mends some of it; the rest by hand",
    run: () => tool("oxlint", "--type-aware", "--deny-warnings"),
  },
  {
    name: "boundaries",
    remedy: "who may know whom stands in turbo.json; move the code instead of widening a rule",
    run: () => tool("turbo", "boundaries"),
  },
  {
    name: "tests",
    remedy: "run the one that failed: npm test -w <workspace> -- <file>",
    run: () => runNode(join(root, "scripts/test.ts"), []).then(({ code }) => code),
  },
  { name: "unused", remedy: "remove what nobody uses, or name it in knip.jsonc", run: () => tool("knip") },
  {
    name: "packaging",
    remedy: "read the package's exports and files in its package.json",
    run: checkPackages,
  },
  {
    name: "install",
    remedy: "look at what the packages depend on and what their entries import",
    run: checkInstall,
  },
];

async function checkInstall(): Promise<number> {
  const faults = await checkInstalledPackages((line) => process.stdout.write(`${line}\n`));
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}

/** Looks at each public package as it would be published; the types step has just built it. */
async function checkPackages(): Promise<number> {
  for (const { folder, path } of publicWorkspaces()) {
    const stale = staleOutput(folder);
    if (stale.length > 0) {
      process.stderr.write(
        `${path}/dist is not what its sources build: ${stale.join(", ")}\nnpx tsc -b --clean, then build\n`,
      );
      return 1;
    }
    const attw = ["--pack", folder, "--profile", "esm-only", "--format", "ascii"];
    const checks = [
      await runTool("publint", ["--strict", folder], { stdio: "pipe" }),
      await runTool("@arethetypeswrong/cli", attw, { stdio: "pipe" }),
    ];
    for (const { code, output } of checks) {
      if (code === 0) continue;
      process.stderr.write(`${path}\n${output}`);
      return 1;
    }
    process.stdout.write(`${path}: publint and attw found nothing\n`);
  }
  return 0;
}

/** Modules in `dist` without a source, and sources without their module in `dist`. */
function staleOutput(folder: string): readonly string[] {
  const names = (part: string, ending: string): ReadonlySet<string> =>
    new Set(
      globSync(`**/*${ending}`, { cwd: join(folder, part) }).map((file) => file.slice(0, -ending.length)),
    );
  const built = names("dist", ".js");
  return [...built.symmetricDifference(names("src", ".ts"))];
}

const { values } = parseArgs({
  options: {
    from: { type: "string" },
    skip: { type: "string", multiple: true, default: [] },
    list: { type: "boolean", default: false },
  },
});
process.exitCode = await verify();

async function verify(): Promise<number> {
  const first = values.from === undefined ? 0 : steps.findIndex(({ name }) => name === values.from);
  if (values.list || first < 0) {
    process.stdout.write(`${steps.map(({ name }) => name).join("\n")}\n`);
    return values.list ? 0 : 2;
  }
  const times: string[] = [];
  for (const step of steps.slice(first).filter(({ name }) => !values.skip.includes(name))) {
    process.stdout.write(`\n== ${step.name}\n`);
    const start = performance.now();
    const code = await step.run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    times.push(`${step.name} ${seconds} s`);
    if (code !== 0) {
      process.stdout.write(`\n== ${step.name} failed after ${seconds} s. What to do: ${step.remedy}\n`);
      return 1;
    }
  }
  process.stdout.write(`\n== verified: ${times.join(", ")}\n`);
  return 0;
}
