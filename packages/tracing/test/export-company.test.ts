/** In the company of OpenTelemetry's own packages: SDK 2.x and 3.x, instrumentations of http and undici, two copies of the api. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startOtlpServer } from "./support/otlp-server.ts";
import { runProgram } from "./support/run-program.ts";

interface Received {
  readonly path: string;
  readonly traceparent?: readonly string[];
}

for (const version of ["2", "3", "weft"]) {
  const under = version === "weft" ? "Weft's own provider" : `an SDK ${version}.x with WeftSpanProcessor`;
  test(`Under ${under}, with instrumentation of http and undici: one traceparent on the wire, every parent there`, async () => {
    await using server = await startOtlpServer();
    const { code, stdout, stderr } = await runProgram("sdk", [version], { WEFT_COLLECTOR: server.url }).end;
    assert.equal(code, 0, stderr);
    const received = JSON.parse(stdout) as readonly Received[];
    assert.deepEqual(
      received.map(({ path, traceparent }) => [path, traceparent?.length]),
      [
        ["/weft-undici", 1],
        ["/weft-http", 1],
        ["/app-undici", 1],
        ["/app-http", 1],
      ],
    );
    // The outer span; four arrivals, each with the instrumentation's server span; the application's two client spans.
    assert.equal(server.spans.length, 11);
    assert.equal(new Set(server.spans.map(({ traceId }) => traceId)).size, 1);
    const ids = new Set(server.spans.map(({ spanId }) => spanId));
    const parents = server.spans.map((span) => span["parentSpanId"] as string | undefined);
    assert.equal(parents.filter((parent) => parent === undefined).length, 1);
    assert.ok(parents.every((parent) => parent === undefined || ids.has(parent)));
    const outer = server.spans.find(({ name }) => name === "outer");
    for (const { path, traceparent } of received.slice(0, 2)) {
      assert.equal(traceparent?.[0]?.split("-")[2], outer?.spanId, `${path} carries what Weft wrote`);
    }
    assert.equal(outer?.attributes["weft.inputs"], '{"secret":"sesame"}');
    assert.equal(outer.resource["service.name"], `app on ${version}`);
    assert.match(String(outer.resource["service.instance.id"]), /./);
  });
}

for (const version of ["2", "3"]) {
  test(`Under an SDK ${version}.x that nobody shuts down, WeftSpanProcessor delivers before the process ends`, async () => {
    await using server = await startOtlpServer();
    const { code, stderr } = await runProgram("sdk", [version, "natural"], { WEFT_COLLECTOR: server.url })
      .end;
    assert.equal(code, 0, stderr);
    assert.equal(server.spans.length, 11);
  });
}

test("Two copies of OpenTelemetry's api: it says so loudly, Weft's spans go out, and the other copy's provider stays", async () => {
  await using server = await startOtlpServer();
  const { code, stdout, stderr } = await runProgram("skew", [], { WEFT_COLLECTOR: server.url }).end;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /@opentelemetry\/api is loaded twice, .* version 1\.9\.0/);
  assert.equal(stdout, "true");
  assert.deepEqual(
    server.spans.map(({ name }) => name),
    ["ours"],
  );
});

test("Two copies of OpenTelemetry's api and no destination: it says that spans go nowhere", async () => {
  const { stderr } = await runProgram("skew", [], {}).end;
  assert.match(stderr, /Spans go nowhere: @opentelemetry\/api is loaded twice/);
});
