import type { Dirent } from "node:fs";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder, absolute, without a slash at the end. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** What a workspace's `package.json` says, as far as the tooling reads it. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly files?: readonly string[];
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One npm workspace. */
export interface Workspace {
  /** Absolute. */
  readonly folder: string;
  /** Relative to the root, with forward slashes: `packages/tracing`. */
  readonly path: string;
  readonly manifest: Manifest;
}

/** Reads a JSON file; `//` comment lines and trailing commas are allowed, as in `turbo.json`. */
export function readJson(file: string): unknown {
  const text = readFileSync(file, "utf8").replace(/^\s*\/\/.*$/gm, "");
  return JSON.parse(text.replace(/,(\s*[}\]])/g, "$1"));
}

/** All workspaces of the root `package.json`, in its order. */
export function workspaces(base: string = root): readonly Workspace[] {
  const patterns = (readJson(join(base, "package.json")) as Manifest).workspaces ?? [];
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: base }).sort())
    .filter((path) => existsSync(join(base, path, "package.json")))
    .map((path) => ({
      folder: join(base, path),
      path: toSlashes(path),
      manifest: readJson(join(base, path, "package.json")) as Manifest,
    }));
}

/** The workspaces that are published. */
export function publicWorkspaces(): readonly Workspace[] {
  return workspaces().filter(({ manifest }) => manifest.private !== true);
}

const generated = new Set(["node_modules", "dist", ".git", ".turbo", ".weft", "coverage"]);

/** Files below `folder` that match, as absolute paths, without what tools generate (the same as `.gitignore`). */
export function filesIn(folder: string, pattern = "**/*"): readonly string[] {
  return globSync(pattern, { cwd: folder, withFileTypes: true, exclude: isGenerated })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function isGenerated({ name, parentPath }: Dirent): boolean {
  return generated.has(name) || (name === "results" && basename(parentPath) === "bench");
}

/** A path as messages show it: relative to the root, with forward slashes. */
export function shown(file: string): string {
  return toSlashes(relative(root, file));
}

function toSlashes(path: string): string {
  return path.split(sep).join("/");
}
