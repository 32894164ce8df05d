/** The one `spawnNode`, by relative path, so that scripts and the tests of every package can use it. */
export { spawnNode } from "../packages/cli/src/process/spawn-node.ts";
export type { SpawnNodeOptions } from "../packages/cli/src/process/spawn-node.ts";
