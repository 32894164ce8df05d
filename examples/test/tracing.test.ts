/* K1: what an example prints is what it came to, and tracing changes none of it. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
// @boundaries-ignore tests of every package share the one way to run a Node
import { runNode } from "../../scripts/internal/tools.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));
/** An example that looks at its own trace says something else without one. */
const examples = globSync("*.ts", { cwd: folder })
  .filter((file) => !readFileSync(join(folder, file), "utf8").includes("captureTraces"))
  .sort();

const register = { NODE_OPTIONS: "--import @weft/tracing/register" };

async function run(file: string, env: Record<string, string>): Promise<string> {
  const { code, output } = await runNode(join(folder, file), [], {
    cwd: folder,
    stdio: "pipe",
    env: { NODE_NO_WARNINGS: "1", ...env },
  });
  assert.equal(code, 0, output);
  return output
    .split("\n")
    .filter((line) => !/^weft[: ]|tracing/i.test(line))
    .join("\n");
}

test("[K1] With tracing on, off, sampled out or its exporter broken, every example comes to the same", async () => {
  let received = 0;
  const collector = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      received++;
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  try {
    await Promise.all(
      examples.map(async (file) => {
        const off = await run(file, { WEFT_TRACING: "off" });
        const modes: readonly Record<string, string>[] = [
          { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
          { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER: "always_off" },
          { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
        ];
        for (const mode of modes) {
          assert.equal(await run(file, { ...register, ...mode }), off, `${file} ${JSON.stringify(mode)}`);
        }
      }),
    );
    assert.ok(received >= examples.length, `only ${received} batches arrived`);
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
});
