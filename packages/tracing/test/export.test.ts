import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
// @boundaries-ignore tests of every package share the one spawnNode
// @boundaries-ignore the one way to start a Node
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { startOtlpServer } from "./support/otlp-server.ts";
import { runProgram } from "./support/run-program.ts";

for (const mode of ["natural", "using", "flush", "shutdown"]) {
  test(`A process that ends by "${mode}" delivers every span first`, async () => {
    await using server = await startOtlpServer();
    const { code, stderr } = await runProgram("spans", [mode], { WEFT_COLLECTOR: server.url }).end;
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    assert.deepEqual(
      server.spans.map(({ name }) => name),
      Array.from({ length: 100 }, (_, index) => `span ${index}`),
    );
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`A process that ${signal} ends delivers its spans and then dies of the signal`, async () => {
    await using server = await startOtlpServer();
    const program = runProgram("spans", ["wait"], { WEFT_COLLECTOR: server.url });
    await program.printed("ready");
    program.child.kill(signal);
    assert.equal((await program.end).signal, signal);
    assert.equal(server.spans.length, 100);
  });
}

test("Where the program handles a signal itself, spans are delivered and the program decides its end", async () => {
  await using server = await startOtlpServer();
  const program = runProgram("spans", ["own-handler"], { WEFT_COLLECTOR: server.url });
  await program.printed("ready");
  program.child.kill("SIGTERM");
  const { code, signal } = await program.end;
  assert.deepEqual([code, signal], [7, null]);
  assert.equal(server.spans.length, 100);
});

test("A burst of 10,000 spans loses none, and they arrive in the order of their ends", async () => {
  await using server = await startOtlpServer();
  const { code } = await runProgram("spans", ["natural", "10000"], { WEFT_COLLECTOR: server.url }).end;
  assert.equal(code, 0);
  assert.deepEqual(
    server.spans.map(({ name }) => name),
    Array.from({ length: 10_000 }, (_, index) => `span ${index}`),
  );
});

test("A destination that is busy at first gets every span once, in order", async () => {
  await using server = await startOtlpServer((request) => [503, 429, 500][request - 1] ?? 200);
  const { code, stderr } = await runProgram("spans", ["natural", "1000"], { WEFT_COLLECTOR: server.url }).end;
  assert.equal(code, 0);
  assert.deepEqual(
    server.spans.map(({ name }) => name),
    Array.from({ length: 1000 }, (_, index) => `span ${index}`),
  );
  assert.match(stderr, /does not take spans \(HTTP 503\)/);
});

test("A destination that refuses spans loses them, and the process says so and ends", async () => {
  await using server = await startOtlpServer(() => 400);
  const { code, stderr } = await runProgram("spans", ["natural"], { WEFT_COLLECTOR: server.url }).end;
  assert.equal(code, 0);
  assert.match(stderr, /Spans are lost: .* refused them \(HTTP 400\)/);
  assert.ok(server.requests.length < 20, `it was asked ${server.requests.length} times`);
});

test("A destination that never answers does not keep the process beyond its shutdown time", async () => {
  const hung = createServer(() => {});
  const listening = Promise.withResolvers<void>();
  hung.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const url = `http://127.0.0.1:${(hung.address() as AddressInfo).port}`;
  const start = performance.now();
  const { code } = await runProgram("spans", ["natural"], { WEFT_COLLECTOR: url }).end;
  assert.equal(code, 0);
  assert.ok(performance.now() - start < 9000);
  hung.close();
  hung.closeAllConnections();
});

test("A destination that is not there does not keep the process beyond its shutdown time", async () => {
  const start = performance.now();
  const { code, stderr } = await runProgram("spans", ["shutdown"], { WEFT_COLLECTOR: "http://127.0.0.1:9" })
    .end;
  assert.equal(code, 0);
  assert.match(stderr, /Spans are lost: tracing was shut down/);
  assert.ok(performance.now() - start < 9000);
});

test("With nowhere to export to, it says so once and the program runs", async () => {
  const { code, stderr } = await runProgram("spans", ["natural"], {}).end;
  assert.equal(code, 0);
  assert.equal(stderr.match(/Spans are exported nowhere/g)?.length, 1);
});

for (const off of [{ WEFT_TRACING: "off" }, { OTEL_SDK_DISABLED: "true" }]) {
  test(`Nothing is exported with ${Object.entries(off).flat().join("=")}`, async () => {
    await using server = await startOtlpServer();
    const { code, stderr } = await runProgram("spans", ["natural"], { WEFT_COLLECTOR: server.url, ...off })
      .end;
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.equal(server.requests.length, 0);
  });
}

test("The environment names the service, the OTLP endpoint, its headers, its compression and the sampler", async () => {
  await using server = await startOtlpServer();
  const { stdout } = await runProgram("spans", ["nested", "0"], {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${server.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: "x-team=agents%20one",
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    OTEL_SERVICE_NAME: "planner",
    OTEL_RESOURCE_ATTRIBUTES: "service.version=2.1,deployment.environment.name=test",
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "1",
  }).end;
  const [request] = server.requests;
  assert.equal(request?.path, "/v1/traces");
  assert.equal(request?.headers["x-team"], "agents one");
  assert.equal(request?.headers["content-encoding"], "gzip");
  const [inner, outer] = server.spans;
  assert.deepEqual([inner?.name, outer?.name], ["inner", "outer"]);
  assert.equal(inner?.["parentSpanId"], outer?.spanId);
  assert.equal(outer?.traceId, stdout);
  const { resource } = outer ?? {};
  assert.equal(resource?.["service.name"], "planner");
  assert.equal(resource?.["service.version"], "2.1");
  assert.equal(resource?.["deployment.environment.name"], "test");
  assert.match(String(resource?.["service.instance.id"]), /^[0-9a-f-]{36}$/);
  assert.equal(resource?.["telemetry.sdk.name"], "@weft/tracing");
  assert.equal(resource?.["telemetry.sdk.language"], "nodejs");
  assert.equal(typeof resource?.["process.pid"], "number");
});

test("An OTLP endpoint gets no content, a collector on loopback gets it, and WEFT_CONTENT decides over both", async () => {
  await using server = await startOtlpServer();
  const outerInputs = async (environment: Record<string, string>): Promise<unknown> => {
    await runProgram("spans", ["nested", "0"], environment).end;
    return server.spans.findLast(({ name }) => name === "outer")?.attributes["weft.inputs"];
  };
  assert.equal(await outerInputs({ OTEL_EXPORTER_OTLP_ENDPOINT: server.url }), undefined);
  assert.equal(await outerInputs({ WEFT_COLLECTOR: server.url }), '{"secret":"sesame"}');
  assert.equal(await outerInputs({ WEFT_COLLECTOR: server.url, WEFT_CONTENT: "none" }), undefined);
  assert.equal(
    await outerInputs({ OTEL_EXPORTER_OTLP_ENDPOINT: server.url, WEFT_CONTENT: "full" }),
    '{"secret":"sesame"}',
  );
  assert.equal(
    await outerInputs({
      WEFT_COLLECTOR: server.url,
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "NO_CONTENT",
    }),
    undefined,
  );
});

test("A collector and an OTLP endpoint both get every span, the token only the collector", async () => {
  await using collector = await startOtlpServer();
  await using backend = await startOtlpServer();
  await runProgram("spans", ["natural", "3"], {
    WEFT_COLLECTOR: collector.url,
    WEFT_TOKEN: "sesame",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${backend.url}/custom/path`,
  }).end;
  assert.equal(collector.spans.length, 3);
  assert.equal(backend.spans.length, 3);
  assert.equal(collector.requests[0]?.headers.authorization, "Bearer sesame");
  assert.equal(backend.requests[0]?.headers.authorization, undefined);
  assert.equal(backend.requests[0]?.path, "/custom/path");
});

test("A program traces with --import @weft/tracing/register alone", async () => {
  await using server = await startOtlpServer();
  const child = spawnNode(new URL("./programs/registered.ts", import.meta.url), [], {
    execArgv: ["--import", "@weft/tracing/register"],
    env: { ...process.env, WEFT_COLLECTOR: server.url },
    cwd: new URL("..", import.meta.url),
  });
  const ended = Promise.withResolvers<number | null>();
  child.on("close", ended.resolve);
  assert.equal(await ended.promise, 0);
  assert.deepEqual(
    server.spans.map(({ name }) => name),
    ["registered"],
  );
});
