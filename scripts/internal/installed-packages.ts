/**
 * What a user gets: the public packages packed, installed together in an empty folder and imported, and what `npm i @weft/agents` brings.
 * Needs the npm registry, so it is a step of verify and no test.
 */
import { existsSync, globSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { publicWorkspaces } from "./repository.ts";
import type { Ended } from "./tools.ts";
import { runNode } from "./tools.ts";

/** Modules, and not milliseconds: what an import takes is its modules, and how long they take is the machine's. */
const limits = { packages: 15, megabytes: 20, modules: 270 } as const;

/** Modules that `import "@weft/agents"` must not load: a user of local agents pays for no server and no HTTP client. */
const unwanted = /^(?:node:(?:https?|http2|net|tls)|undici|ws|express|@grpc\/)/;

/** Packs, installs, imports and measures. Resolves with what is wrong; nothing when all is well. */
export async function checkInstalledPackages(report: (line: string) => void): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "weft-install-"));
  try {
    const tarballs = await packAll(folder);
    const faults = [...(await checkTogether(folder, tarballs, report))];
    faults.push(...(await checkAgents(folder, tarballs, report)));
    return faults;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Tarballs = ReadonlyMap<string, string>;

async function packAll(folder: string): Promise<Tarballs> {
  const tarballs = new Map<string, string>();
  for (const workspace of publicWorkspaces()) {
    const output = await npm(workspace.folder, "pack", "--json", "--pack-destination", folder);
    const { filename } = readPacked(output);
    tarballs.set(workspace.manifest.name, join(folder, filename));
  }
  return tarballs;
}

/** npm 10 prints a list, npm 11 an object by package name. */
function readPacked(output: string): { readonly filename: string } {
  const json = JSON.parse(output) as Record<string, { filename: string }>;
  return Object.values(json)[0]!;
}

async function checkTogether(
  folder: string,
  tarballs: Tarballs,
  report: (line: string) => void,
): Promise<readonly string[]> {
  const app = await install(folder, "all", [...tarballs.values()]);
  const entries = publicWorkspaces().flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {})
      .filter((entry) => !entry.endsWith(".json") && entry !== "./register")
      .map((entry) => manifest.name + entry.slice(1)),
  );
  const program = entries.map((entry) => `await import(${JSON.stringify(entry)});`).join("\n");
  const { code, output } = await run(app, program);
  if (code !== 0) return [`importing ${entries.join(", ")} together fails:\n${output}`];
  if (!existsSync(join(app, "node_modules/@weft/collector/viewer/index.html"))) {
    return ["@weft/collector ships without the viewer: npm run build puts it there before packing"];
  }
  report(`${tarballs.size} packages install together; ${entries.length} entries import`);
  return [];
}

async function checkAgents(
  folder: string,
  tarballs: Tarballs,
  report: (line: string) => void,
): Promise<readonly string[]> {
  const needed = ["@weft/agents", "@weft/runtime", "@weft/tracing"].map((name) => tarballs.get(name)!);
  const app = await install(folder, "agents", needed);
  const packages = globSync("node_modules/{*,@*/*}/package.json", { cwd: app }).length;
  const megabytes = sizeOf(join(app, "node_modules")) / 1e6;
  const { importMs, modules, loaded } = await importAgents(app);
  report(
    `npm i @weft/agents: ${packages} packages, ${megabytes.toFixed(1)} MB; ${modules} modules, imported in ${importMs.toFixed(0)} ms (best of ${runs})`,
  );
  const faults: string[] = [];
  if (packages >= limits.packages)
    faults.push(`${packages} packages; under ${limits.packages} were promised`);
  if (megabytes >= limits.megabytes) faults.push(`${megabytes} MB; under ${limits.megabytes} were promised`);
  if (modules >= limits.modules)
    faults.push(`import "@weft/agents" loads ${modules} modules; under ${limits.modules} were promised`);
  const strangers = loaded.filter((name) => unwanted.test(name));
  if (strangers.length > 0) faults.push(`import "@weft/agents" loads ${strangers.join(", ")}`);
  return faults;
}

/** The best of several runs: another process's load only ever makes one slower. */
const runs = 15;

interface Imported {
  readonly importMs: number;
  /** Files. */
  readonly modules: number;
  /** What they are of: packages, and modules of Node's own. */
  readonly loaded: readonly string[];
}

async function importAgents(app: string): Promise<Imported> {
  const timed = `const start = performance.now(); await import("@weft/agents"); console.log(performance.now() - start);`;
  const times: number[] = [];
  for (let index = 0; index < runs; index++) times.push(Number((await run(app, timed)).stdout));
  const watched = `import { registerHooks } from "node:module";
    const urls = new Set();
    registerHooks({ resolve(specifier, context, next) {
      const result = next(specifier, context);
      urls.add(result.url);
      return result;
    } });
    await import("@weft/agents");
    console.log(JSON.stringify([...urls]));`;
  const urls = JSON.parse((await run(app, watched)).stdout) as readonly string[];
  const packageOf = (url: string): string => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url;
  return {
    importMs: Math.min(...times),
    modules: urls.filter((url) => url.startsWith("file:")).length,
    loaded: [...new Set(urls.map(packageOf))],
  };
}

async function install(folder: string, name: string, tarballs: readonly string[]): Promise<string> {
  const app = mkdtempSync(join(folder, `${name}-`));
  writeFileSync(
    join(app, "package.json"),
    JSON.stringify({ name: "app", version: "1.0.0", private: true, type: "module" }),
  );
  await npm(app, "install", "--no-audit", "--no-fund", ...tarballs);
  return app;
}

/** Runs a program as a file of the app, without the sources' condition: it gets what was installed. */
async function run(app: string, program: string): Promise<Ended> {
  const file = join(app, "program.mjs");
  writeFileSync(file, program);
  return runNode(file, [], { cwd: app, stdio: "pipe", sources: false });
}

async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const cli = process.env["npm_execpath"];
  if (cli === undefined) throw new TypeError("npm is not known here: start this through npm run");
  const { code, output, stdout } = await runNode(cli, args, { cwd, stdio: "pipe", sources: false });
  if (code === 0) return stdout;
  throw new TypeError(`npm ${args.slice(0, 2).join(" ")} in ${cwd} ended with code ${code}:\n${output}`);
}

function sizeOf(folder: string): number {
  return globSync("**/*", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
