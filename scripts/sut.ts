/**
 * `npm run sut`: starts the agent that the official conformance kit expects, on http://127.0.0.1:9999 (gRPC on 10000), or on
 * another port: `npm run sut -- 8000`. Then, in the kit's folder: `./run_tck.py --sut-host 127.0.0.1:9999`.
 */
import process from "node:process";
import { root } from "./internal/repository.ts";
import { spawnNode } from "./spawn-node.ts";

const child = spawnNode("test/conformance/programs/sut-main.ts", process.argv.slice(2), {
  cwd: root,
  stdio: "inherit",
});
child.once("close", (code) => {
  process.exitCode = code ?? 0;
});
