import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Options of {@link spawnNode}: those of `child_process.spawn`, passed through as they are. */
export interface SpawnNodeOptions extends SpawnOptions {
  /** Flags for Node itself, before the file: `["--import", "@weft/tracing/register"]`. Default: none. */
  readonly execArgv?: readonly string[];
  /** False: Weft's packages resolve as installed ones do, to `dist`, whoever starts the child. Default: as in the parent. */
  readonly sources?: boolean;
  /** Path of another Node binary. Default: the Node that runs this process. */
  readonly node?: string;
}

/** The export condition under which a workspace package resolves to its `src/*.ts`. */
const sourceCondition = "@weft/source";
const isSource = import.meta.url.endsWith(".ts");

/**
 * Starts `file` in a Node of its own, the very Node that runs this process.
 *
 * The child resolves Weft's packages as its parent does: to their sources when this module runs from
 * its source, to `dist` when it runs from `dist`. A plain spawn from sources would silently run a stale
 * `dist`; so this is the only place in the repository that starts a Node, and a guard looks for others.
 *
 * `file` is a path or a `file:` URL; a relative path is resolved by the child against `options.cwd`.
 * Standard streams are pipes unless `options.stdio` says otherwise. Nothing is thrown for a file that
 * does not exist: the child ends with code 1 and says so on its stderr.
 */
export function spawnNode(
  file: string | URL,
  args: readonly string[] = [],
  options: SpawnNodeOptions = {},
): ChildProcess {
  const { execArgv = [], node = process.execPath, sources = isSource, ...spawnOptions } = options;
  const path = file instanceof URL || file.startsWith("file:") ? fileURLToPath(file) : file;
  return spawn(node, [...(sources ? [`--conditions=${sourceCondition}`] : []), ...execArgv, path, ...args], {
    windowsHide: true,
    ...spawnOptions,
  });
}
