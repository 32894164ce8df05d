import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
// @boundaries-ignore tests of every package share the one spawnNode
// @boundaries-ignore the one way to start a Node
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { SpanType } from "../src/index.ts";
import { Attr } from "../src/vocabulary.ts";
import { startOtlpServer } from "./support/otlp-server.ts";
import type { OtlpServer } from "./support/otlp-server.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const document = readFileSync(join(here, "../../../docs/tracing.md"), "utf8");
const blocks = [...document.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code);

/** Runs a block as it stands, but for the address of the collector. */
async function run(code: string, server: OtlpServer): Promise<void> {
  mkdirSync(join(here, "dist"), { recursive: true });
  const folder = mkdtempSync(join(here, "dist/docs-"));
  try {
    const file = join(folder, "example.ts");
    writeFileSync(file, code.replaceAll("http://127.0.0.1:4318", server.url));
    const child = spawnNode(file);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data: Buffer) => (output += String(data)));
    }
    const [exitCode] = (await once(child, "close")) as [number | null];
    assert.equal(exitCode, 0, output);
    assert.equal(output, "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What each block of docs/tracing.md sends, by span names. */
const expected: readonly (readonly string[])[] = [
  ["search", "plan a trip"],
  ["login"],
  ["FakeListChatModel", "answer a ticket"],
  ["send", "process add", "listen"],
  ["double", "job"],
];

test("docs/tracing.md has as many blocks of code as are run here", () => {
  assert.equal(blocks.length, expected.length);
});

for (const [at, names] of expected.entries()) {
  test(`The block of docs/tracing.md that makes "${names.join('", "')}" runs and sends just that`, async () => {
    await using server = await startOtlpServer();
    await run(blocks[at] ?? "", server);
    assert.deepEqual(
      server.spans.map(({ name }) => name),
      names,
    );
    if (names[0] === "login") {
      const { password, note } = JSON.parse(String(server.spans[0]?.attributes[Attr.inputs])) as Record<
        string,
        string
      >;
      assert.deepEqual([password, note], ["[redacted]", "[redacted] of [customer]"]);
    }
    if (names[0] === "FakeListChatModel") {
      const [inner, outer] = server.spans;
      assert.equal(inner?.["parentSpanId"], outer?.spanId);
      assert.equal(inner?.attributes["openinference.span.kind"], "LLM");
    }
  });
}

test("Every attribute that docs/tracing.md names as Weft's is one of the vocabulary", () => {
  const known = new Set<string>(Object.values(Attr));
  const named = [...document.matchAll(/`((?:weft|gen_ai)\.[a-z_.]+)`/g)].map(([, key = ""]) => key);
  const ag2 = new Set(["gen_ai.conversation.turns", "gen_ai.conversation.max_turns", "gen_ai.usage.cost"]);
  assert.deepEqual(
    named.filter((key) => !known.has(key) && !ag2.has(key)),
    [],
  );
  assert.equal(Object.keys(SpanType).length, 10);
});
