/** The loss matrix: how a process ends, times what its destination does, with and without a spool. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { startOtlpServer } from "./support/otlp-server.ts";
import type { OtlpServer } from "./support/otlp-server.ts";
import { runProgram } from "./support/run-program.ts";

function useFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "weft-spool-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An address where nobody is, now or later: the port was ours a moment ago. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return `http://127.0.0.1:${port}`;
}

const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `span ${index}`);

/** Every span once: none lost, none twice. */
function assertComplete(server: OtlpServer, count: number, others: readonly string[] = []): void {
  const found = server.spans.map(({ name }) => name).sort();
  assert.equal(
    new Set(server.spans.map(({ spanId }) => spanId)).size,
    server.spans.length,
    "a span came twice",
  );
  assert.deepEqual(found, [...names(count), ...others].sort());
}

function forgetRepeated(server: OtlpServer, atMost: number): void {
  const bySpanId = new Map(server.spans.map((span) => [span.spanId, span]));
  assert.ok(server.spans.length - bySpanId.size <= atMost);
  server.spans.splice(0, server.spans.length, ...bySpanId.values());
}

/** The next process that names the spool; it makes no spans of its own. */
async function nextStart(url: string, spool: string): Promise<void> {
  const { code, stderr } = await runProgram("loss", ["natural", "0"], {
    WEFT_COLLECTOR: url,
    WEFT_SPOOL: spool,
  }).end;
  assert.equal(code, 0, stderr);
}

const ends = {
  natural: { code: 0, signal: null, delivers: true },
  exit: { code: 3, signal: null, delivers: false },
  throw: { code: 1, signal: null, delivers: true },
  reject: { code: 1, signal: null, delivers: true },
  sigkill: { code: null, signal: "SIGKILL", delivers: false },
} as const;

for (const [mode, expected] of Object.entries(ends)) {
  for (const count of [100, 10_000, 100_000]) {
    test(`Loss matrix, spool: ${mode} after a burst of ${count}: 0 lost, none twice`, async (t) => {
      const spool = useFolder(t);
      await using server = await startOtlpServer();
      const end = await runProgram("loss", [mode, String(count)], {
        WEFT_COLLECTOR: server.url,
        WEFT_SPOOL: spool,
        TEST_SHUTDOWN_MS: "60000",
      }).end;
      assert.deepEqual([end.code, end.signal], [expected.code, expected.signal], end.stderr);
      await nextStart(server.url, spool);
      // A batch that was delivered when the process was killed before it could note that is sent again, and only a Weft
      // collector stores it once: services/collector/test/live-loss.test.ts.
      if (mode === "sigkill") forgetRepeated(server, 512);
      assertComplete(server, count);
      assert.deepEqual(readdirSync(spool), [], "the spool is taken away when all of it is delivered");
    });
  }

  test(`Loss matrix, no spool: ${mode}: ${expected.delivers ? "0 lost" : "the loss is counted and said"}`, async () => {
    await using server = await startOtlpServer();
    const end = await runProgram("loss", [mode, "10000"], {
      WEFT_COLLECTOR: server.url,
      TEST_SHUTDOWN_MS: "60000",
    }).end;
    assert.deepEqual([end.code, end.signal], [expected.code, expected.signal], end.stderr);
    if (expected.delivers) assertComplete(server, 10_000);
    // Of a killed process the collector tells: services/collector/test/live-loss.test.ts.
    else if (mode === "exit")
      assert.match(end.stderr, /Spans are lost: the process ended before 10000 of them/);
    if (mode === "throw") assert.match(end.stderr, /TypeError: thrown on purpose\n {4}at .*loss\.ts/);
    if (mode === "reject") assert.match(end.stderr, /TypeError: rejected on purpose/);
  });
}

test("Loss matrix, no spool: a burst of 100,000 small spans loses none", async () => {
  await using server = await startOtlpServer();
  const { code, stderr } = await runProgram("loss", ["natural", "100000"], {
    WEFT_COLLECTOR: server.url,
    TEST_SHUTDOWN_MS: "60000",
  }).end;
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assertComplete(server, 100_000);
});

test("Loss matrix, spool: SIGTERM: 0 lost, none twice", async (t) => {
  const spool = useFolder(t);
  await using server = await startOtlpServer();
  const program = runProgram("loss", ["wait", "10000"], { WEFT_COLLECTOR: server.url, WEFT_SPOOL: spool });
  await program.printed("ready");
  program.child.kill("SIGTERM");
  assert.equal((await program.end).signal, "SIGTERM");
  await nextStart(server.url, spool);
  assertComplete(server, 10_000);
});

test("Loss matrix, spool: SIGKILL in the turn right after the one in which a span ended, whatever the phase", async (t) => {
  const spool = useFolder(t);
  const url = await deadUrl();
  const { signal } = await runProgram("loss", ["timer-sigkill", "10"], {
    WEFT_COLLECTOR: url,
    WEFT_SPOOL: spool,
  }).end;
  assert.equal(signal, "SIGKILL");
  await using server = await startOtlpServer(() => 200, Number(new URL(url).port));
  await nextStart(url, spool);
  assertComplete(server, 10, ["in the check phase"]);
});

const troubles: Readonly<Record<string, (() => number | Promise<number>) | undefined>> = {
  down: undefined,
  busy: () => 503,
  refusing: () => 403,
  hanging: () => new Promise<number>(() => {}),
};
for (const [what, answer] of Object.entries(troubles)) {
  test(`Loss matrix, spool: a collector that is ${what}: 0 lost, the next start delivers`, async (t) => {
    const spool = useFolder(t);
    let works = answer === undefined;
    await using server = await startOtlpServer(() => (works ? 200 : (answer?.() ?? 200)));
    const port = Number(new URL(server.url).port);
    if (answer === undefined) await server[Symbol.asyncDispose]();
    const { code, stderr } = await runProgram("loss", ["natural", "1000"], {
      WEFT_COLLECTOR: server.url,
      WEFT_SPOOL: spool,
      TEST_SHUTDOWN_MS: "1500",
    }).end;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /Spans are lost/);
    works = true;
    await using revived = answer === undefined ? await startOtlpServer(() => 200, port) : undefined;
    await nextStart(server.url, spool);
    assertComplete(revived ?? server, 1000);
  });
}

test("Loss matrix, no spool: a collector that is slow: 0 lost", async () => {
  await using server = await startOtlpServer(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return 200;
  });
  const { code } = await runProgram("loss", ["natural", "10000"], {
    WEFT_COLLECTOR: server.url,
    TEST_SHUTDOWN_MS: "60000",
  }).end;
  assert.equal(code, 0);
  assertComplete(server, 10_000);
});

for (const spooled of [false, true]) {
  test(`Loss matrix, ${spooled ? "spool" : "no spool"}: a collector that comes back while the process runs gets everything, once`, async (t) => {
    await using first = await startOtlpServer();
    const port = Number(new URL(first.url).port);
    await first[Symbol.asyncDispose]();
    const program = runProgram("loss", ["wait", "10000"], {
      WEFT_COLLECTOR: first.url,
      ...(spooled ? { WEFT_SPOOL: useFolder(t) } : {}),
      TEST_SHUTDOWN_MS: "60000",
    });
    await program.printed("ready");
    await program.complained("does not take spans");
    await using server = await startOtlpServer(() => 200, port);
    await server.received(10_000);
    program.child.kill("SIGTERM");
    await program.end;
    assertComplete(server, 10_000);
  });
}

test("Loss matrix, no spool: a collector that does not come back in time: given up, counted, said", async () => {
  const program = runProgram("loss", ["wait", "100"], {
    WEFT_COLLECTOR: await deadUrl(),
    TEST_GIVE_UP_MS: "600",
  });
  await program.complained("Spans are lost: The collector at");
  program.child.kill("SIGTERM");
  const { stderr } = await program.end;
  assert.match(stderr, /took none in time/);
});

test("Loss matrix, spool: what was open when SIGKILL came is closed once, as an error with outcome lost", async (t) => {
  const spool = useFolder(t);
  await using server = await startOtlpServer();
  const { signal } = await runProgram("loss", ["sigkill-open", "5"], {
    WEFT_COLLECTOR: server.url,
    WEFT_SPOOL: spool,
  }).end;
  assert.equal(signal, "SIGKILL");
  await nextStart(server.url, spool);
  await nextStart(server.url, spool);
  assertComplete(server, 5, ["open root"]);
  const root = server.spans.find(({ name }) => name === "open root");
  assert.equal(root?.attributes["weft.outcome"], "lost");
  assert.deepEqual(root?.["status"], { code: 2 });
  assert.ok((root?.["end"] as bigint) >= (root?.["start"] as bigint));
});

test("Loss matrix, memory: 600 spans of 1 MB with a collector that hangs stay under the byte bound", async (t) => {
  const cases = [
    ["whole", undefined],
    ["whole", useFolder(t)],
    ["cut", undefined],
  ] as const;
  for (const [how, spool] of cases) {
    await using server = await startOtlpServer(() => new Promise<number>(() => {}));
    const { code, stdout, stderr } = await runProgram("memory", [how], {
      WEFT_COLLECTOR: server.url,
      ...(spool === undefined ? {} : { WEFT_SPOOL: spool }),
    }).end;
    assert.equal(code, 0, stderr);
    const { heldMb, dropped, ended } = JSON.parse(stdout) as Record<string, number>;
    assert.equal(ended, 600);
    // 32 MiB are the bound; the batch under way and its copy in UTF-8 come on top. What is garbage does not count: when
    // that goes is the collector's affair.
    assert.ok(heldMb !== undefined && heldMb < 60, `${how}: ${String(heldMb)} MB held`);
    assert.ok(dropped !== undefined && dropped > 0);
  }
});
