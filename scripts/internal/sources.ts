import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { filesIn, workspaces } from "./repository.ts";

/** One place in a file: `path:line`. */
export interface Place {
  readonly line: number;
  readonly text: string;
}

/** One `import` or `export … from` that stays when types are erased. */
export interface StaticImport {
  readonly specifier: string;
  readonly line: number;
}

/** The sources of every workspace: `src/**` of packages and services. Absolute paths. */
export function sourceFiles(): readonly string[] {
  return workspaces().flatMap(({ folder }) => {
    const src = join(folder, "src");
    return existsSync(src) ? filesIn(src, "**/*.{ts,tsx}") : [];
  });
}

/**
 * The text of a TypeScript file with comments blanked out, lines kept. Strings stay; a `//` or a quote inside one is not mistaken for
 * a comment or another string. (Regular expressions and nested templates are not told apart: for guards, not for compilers.)
 */
export function withoutComments(text: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, (found) => (found.startsWith("/") ? found.replace(/[^\n]/g, " ") : found));
}

/** Every match of `pattern` in a file's code (comments left out), with its line. */
export function findInCode(file: string, pattern: RegExp): readonly Place[] {
  const code = withoutComments(readFileSync(file, "utf8"));
  return [...code.matchAll(new RegExp(pattern, "g"))].map((match) => ({
    line: lineAt(code, match.index),
    text: match[0],
  }));
}

/** The static imports of a file. `import type`, `export type` and `import()` do not count: they make no circle when modules load. */
export function staticImports(file: string): readonly StaticImport[] {
  const code = withoutComments(readFileSync(file, "utf8"));
  const pattern = /^\s*(?:import|export)\s+(?!type\b)(?:[\w*{][^"';]*?\bfrom\s*)?["']([^"'\n]+)["']/gm;
  return [...code.matchAll(pattern)].map((match) => ({
    specifier: match[1] ?? "",
    line: lineAt(code, match.index),
  }));
}

/** The specifiers of `import("…")` in a file. */
export function dynamicImports(file: string): readonly string[] {
  return findInCode(file, /\bimport\(\s*["'][^"'\n]+["']/).map(({ text }) =>
    text.replace(/^[^"']*["']|["']$/g, ""),
  );
}

/** The package that a specifier names: `@a/b` for `@a/b/c`. Undefined for a relative path and for what Node brings. */
export function packageOf(specifier: string): string | undefined {
  if (/^(?:node:|[./#])/.test(specifier)) return undefined;
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** The source file that an import of ours names, or undefined for Node's and foreign packages. */
export function resolveImport(file: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return resolve(dirname(file), specifier);
  const owner = workspaces().find(
    ({ manifest }) => specifier === manifest.name || specifier.startsWith(`${manifest.name}/`),
  );
  if (owner === undefined) return undefined;
  const entry = owner.manifest.exports?.[`.${specifier.slice(owner.manifest.name.length)}`];
  const source = typeof entry === "object" ? entry["@weft/source"] : undefined;
  return source === undefined ? undefined : join(owner.folder, source);
}

function lineAt(text: string, index: number): number {
  const leading = /^\s*/.exec(text.slice(index))?.[0].length ?? 0;
  return text.slice(0, index + leading).split("\n").length;
}
