/** `npm run shots`: takes the pictures that the README shows, in a real browser, from a demo that runs for them. */
import { join } from "node:path";
import process from "node:process";
import { root } from "./internal/repository.ts";
import { runNode } from "./internal/tools.ts";

const { code } = await runNode(join(root, "test/browser/take-shots.ts"), [join(root, "docs/images")]);
process.exitCode = code;
