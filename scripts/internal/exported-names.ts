import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publicWorkspaces, root } from "./repository.ts";
import { withoutComments } from "./sources.ts";

/** Entry (`@weft/agents/testing`) to the names it exports, each list sorted. */
export type ExportedNames = Readonly<
  Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }>
>;

/** Where the names are kept that the packages are known to export. */
export const snapshotFile: string = join(root, "test/guards/exported-names.json");

/**
 * The names that every public entry exports, read from its source. An entry is a short explicit list, so reading is enough; `export *`
 * and default exports are refused. `./internal` is left out: it makes no promise.
 */
export function exportedNames(): ExportedNames {
  const names: Record<string, ExportedNames[string]> = {};
  for (const { folder, manifest } of publicWorkspaces()) {
    for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
      const source = typeof target === "object" ? target["@weft/source"] : undefined;
      if (entry === "./internal" || source === undefined) continue;
      names[manifest.name + entry.slice(1)] = namesOf(readFileSync(join(folder, source), "utf8"));
    }
  }
  return names;
}

/** The names exported by one module's text. Throws on `export *` and `export default`. */
export function namesOf(text: string): ExportedNames[string] {
  const code = withoutComments(text);
  const refused = /^export\s+(?:\*|default\b)/m.exec(code);
  if (refused !== null) throw new TypeError(`an entry lists what it exports; it has "${refused[0]}"`);
  const values = new Set<string>();
  const types = new Set<string>();
  for (const [, kind, list] of code.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)) {
    for (const item of (list ?? "").split(",").map((part) => part.trim())) {
      if (item === "") continue;
      const isType = kind !== undefined || item.startsWith("type ");
      (isType ? types : values).add(item.replace(/^type\s+/, "").replace(/^.*\bas\s+/, ""));
    }
  }
  for (const [, name] of code.matchAll(
    /^export\s+(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(?:const|let|function\*?|class)\s+(\w+)/gm,
  )) {
    values.add(name ?? "");
  }
  for (const [, name] of code.matchAll(/^export\s+(?:declare\s+)?(?:interface|type)\s+(\w+)/gm))
    types.add(name ?? "");
  return { values: [...values].sort(), types: [...types].sort() };
}
