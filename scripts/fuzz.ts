/** `npm run fuzz`: 100,000 inputs on each binding; `npm run fuzz -- 5000` for another number. */
import process from "node:process";
import { root } from "./internal/repository.ts";
import { spawnNode } from "./spawn-node.ts";

const [count = "100000"] = process.argv.slice(2);
const child = spawnNode("test/fuzz/fuzz.test.ts", [], {
  cwd: root,
  execArgv: ["--test", "--test-reporter=spec"],
  env: { ...process.env, WEFT_FUZZ_INPUTS: count },
  stdio: "inherit",
});
child.once("close", (code) => {
  process.exitCode = code ?? 1;
});
