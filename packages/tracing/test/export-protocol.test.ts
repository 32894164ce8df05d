/** Any OTLP backend, by the variables that OpenTelemetry's SDKs read. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { metrics } from "@opentelemetry/api";
import type { OtlpTraces } from "../src/http.ts";
import { startSpan, WeftError, withSpan } from "../src/index.ts";
import { startTracing, WeftSpanProcessor } from "../src/node.ts";
import { startOtlpServer } from "./support/otlp-server.ts";
import { runProgram } from "./support/run-program.ts";

test("OTEL_EXPORTER_OTLP_PROTOCOL=http/json sends OTLP as JSON", async () => {
  const bodies: Buffer[] = [];
  await using server = await startOtlpServer((_request, response, body) => {
    bodies.push(body);
    response.writeHead(200).end("{}");
    return 204;
  });
  await runProgram("spans", ["nested", "0"], {
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_SERVICE_NAME: "planner",
  }).end;
  assert.equal(server.requests[0]?.headers["content-type"], "application/json");
  const { resourceSpans } = JSON.parse(String(bodies[0])) as {
    resourceSpans: {
      resource: { attributes: object[] };
      scopeSpans: { spans: Record<string, unknown>[] }[];
    }[];
  };
  const [inner, outer] = resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.deepEqual([inner?.["name"], outer?.["name"], outer?.["kind"]], ["inner", "outer", 1]);
  assert.equal(inner?.["parentSpanId"], outer?.["spanId"]);
  assert.match(String(inner?.["startTimeUnixNano"]), /^\d{19}$/);
  assert.ok(
    JSON.stringify(resourceSpans[0]?.resource.attributes).includes(
      '{"key":"service.name","value":{"stringValue":"planner"}}',
    ),
  );
});

test("With http/json a spool keeps spans as well: what one process could not deliver the next one sends, as JSON", async (t) => {
  const spool = mkdtempSync(join(tmpdir(), "weft-spool-"));
  t.after(() => rmSync(spool, { recursive: true, force: true }));
  t.after(() => delete process.env["OTEL_EXPORTER_OTLP_PROTOCOL"]);
  process.env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json";
  const bodies: string[] = [];
  let isDown = true;
  await using server = await startOtlpServer((_request, response, body) => {
    if (!isDown) bodies.push(String(body));
    response.writeHead(isDown ? 503 : 200).end("{}");
    return 204;
  });
  const options = { endpoint: server.url, serviceName: "planner", content: "delta", spool } as const;
  const ids = await (async () => {
    await using _ = startTracing({ ...options, shutdownTimeoutMs: 100 });
    return withSpan("outer", async (outer) => {
      const attributes = { text: "für", count: 3, ratio: 0.5, odd: Number.NaN, yes: true, list: ["a", "b"] };
      const inner = startSpan({ name: "inner", attributes });
      inner.addEvent("seen", { at: 1 });
      inner.end();
      outer.setStatus({ code: 2, message: "no" });
      return [inner.spanId, outer.spanId];
    });
  })();
  isDown = false;
  await using next = startTracing(options);
  await next.flush();
  assert.equal(server.requests.at(-1)?.headers["content-type"], "application/json");
  const { resourceSpans } = JSON.parse(bodies[0] ?? "") as OtlpTraces;
  assert.ok(
    resourceSpans[0]?.resource?.attributes?.some(({ value }) => value.stringValue === "planner"),
    bodies[0],
  );
  const spans = resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.deepEqual(
    spans.map(({ name, spanId }) => [name, spanId]),
    [
      ["inner", ids[0]],
      ["outer", ids[1]],
    ],
  );
  assert.deepEqual(spans[0]?.attributes, [
    { key: "text", value: { stringValue: "für" } },
    { key: "count", value: { intValue: "3" } },
    { key: "ratio", value: { doubleValue: 0.5 } },
    { key: "odd", value: { doubleValue: "NaN" } },
    { key: "yes", value: { boolValue: true } },
    { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } } },
  ]);
  assert.equal(spans[0]?.events?.[0]?.name, "seen");
  assert.deepEqual([spans[0]?.parentSpanId, spans[1]?.status], [ids[1], { message: "no", code: 2 }]);
});

test("OTEL_EXPORTER_OTLP_PROTOCOL=grpc is said to be unsupported, with what to do, and spans go out as protobuf", async () => {
  await using server = await startOtlpServer();
  const { stderr } = await runProgram("spans", ["natural", "3"], {
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  }).end;
  assert.match(stderr, /gRPC is not supported: set OTEL_EXPORTER_OTLP_PROTOCOL=http\/protobuf .*4318/);
  assert.equal(server.spans.length, 3);
});

test("OTEL_EXPORTER_OTLP_TIMEOUT bounds an attempt: the next one delivers", async () => {
  await using server = await startOtlpServer((request) =>
    request === 1 ? new Promise<number>(() => {}) : 200,
  );
  const { stderr } = await runProgram("spans", ["natural", "3"], {
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: "300",
  }).end;
  assert.match(stderr, /does not take spans/);
  assert.equal(server.spans.length, 3);
});

test("What a backend takes only in part is counted and said, in protobuf and in JSON", async () => {
  const answers = [
    {
      type: "application/x-protobuf",
      body: Buffer.from([0x0a, 0x08, 0x08, 0x02, 0x12, 0x04, 0x66, 0x75, 0x6c, 0x6c]),
    },
    {
      type: "application/json",
      body: Buffer.from('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"full"}}'),
    },
  ];
  for (const { type, body } of answers) {
    await using server = await startOtlpServer((_request, response) => {
      response.writeHead(200, { "content-type": type }).end(body);
      return 200;
    });
    await using tracing = startTracing({ endpoint: server.url });
    for (let index = 0; index < 5; index += 1) startSpan("step").end();
    await tracing.flush();
    const { dropped, ended, destinations } = tracing.stats();
    assert.deepEqual([ended, dropped, destinations[0]?.delivered, destinations[0]?.dropped], [5, 2, 3, 2]);
    assert.equal(server.requests.length, 1, "it is not sent again");
  }
});

test("OTEL_EXPORTER_OTLP_CERTIFICATE and the client's: the backend is trusted by them, and trusts", async () => {
  const read = (name: string): Buffer => readFileSync(new URL(`./fixtures/tls/${name}`, import.meta.url));
  const path = (name: string): string => fileURLToPath(new URL(`./fixtures/tls/${name}`, import.meta.url));
  const tls = { key: read("key.pem"), cert: read("cert.pem"), ca: read("cert.pem"), requestCert: true };
  const authorized: boolean[] = [];
  const server = createServer(tls, (request, response) => {
    authorized.push((request.socket as TLSSocket).authorized);
    request.resume().on("end", () => response.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { stderr } = await runProgram("spans", ["natural", "3"], {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_CERTIFICATE: path("cert.pem"),
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: path("cert.pem"),
    OTEL_EXPORTER_OTLP_CLIENT_KEY: path("key.pem"),
  }).end;
  assert.equal(stderr, "");
  assert.deepEqual(authorized, [true]);
  const { stderr: untrusted } = await runProgram("spans", ["shutdown", "3"], {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
  }).end;
  assert.match(untrusted, /does not take spans/);
  assert.equal(authorized.length, 1);
  server.close();
  server.closeAllConnections();
});

test("A certificate that cannot be read is refused at once, by name", (t) => {
  t.after(() => delete process.env["OTEL_EXPORTER_OTLP_CERTIFICATE"]);
  process.env["OTEL_EXPORTER_OTLP_CERTIFICATE"] = "/nowhere/ca.pem";
  assert.throws(
    () => startTracing({ endpoint: "https://127.0.0.1:9" }),
    (error) => error instanceof WeftError && /OTEL_EXPORTER_OTLP_CERTIFICATE/.test(error.message),
  );
});

test("A collector with a spool and an OTLP endpoint both get every span once", async (t) => {
  const spool = mkdtempSync(join(tmpdir(), "weft-spool-"));
  t.after(() => rmSync(spool, { recursive: true, force: true }));
  await using collector = await startOtlpServer();
  await using backend = await startOtlpServer((request) => (request === 1 ? 503 : 200));
  await using tracing = startTracing({ collector: collector.url, endpoint: backend.url, spool });
  for (let index = 0; index < 1000; index += 1) startSpan(`span ${index}`).end();
  await tracing.flush();
  for (const { spans } of [collector, backend]) {
    assert.equal(spans.length, 1000);
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 1000);
  }
});

test("What became of spans can be read as OpenTelemetry metrics", async () => {
  const observed = new Map<string, number>();
  const callbacks: ((result: {
    observe(of: { name: string }, value: number, attributes?: object): void;
  }) => void)[] = [];
  const create = (name: string): object => ({ name });
  const meter = {
    createObservableCounter: create,
    createObservableUpDownCounter: create,
    addBatchObservableCallback: (callback: (typeof callbacks)[number]) => callbacks.push(callback),
    removeBatchObservableCallback: (callback: (typeof callbacks)[number]) =>
      callbacks.splice(callbacks.indexOf(callback), 1),
  };
  metrics.setGlobalMeterProvider({ getMeter: () => meter as never });
  try {
    await using server = await startOtlpServer();
    {
      await using tracing = startTracing({ endpoint: server.url });
      for (let index = 0; index < 5; index += 1) startSpan("step").end();
      await tracing.flush();
      callbacks[0]?.({
        observe: ({ name }, value, attributes = {}) =>
          observed.set(`${name} ${Object.values(attributes).join(" ")}`, value),
      });
    }
    assert.deepEqual(Object.fromEntries(observed), {
      "otel.sdk.processor.span.processed ": 5,
      "otel.sdk.processor.span.processed dropped": 0,
      "otel.sdk.exporter.span.exported 127.0.0.1": 5,
      "otel.sdk.exporter.span.exported 127.0.0.1 rejected": 0,
      "otel.sdk.processor.span.queue.size 127.0.0.1": 0,
    });
    assert.deepEqual(callbacks, []);
  } finally {
    metrics.disable();
  }
});

test("A processor with no address says so, and its SDK goes on", () => {
  const processor = new WeftSpanProcessor();
  assert.deepEqual(processor.stats().destinations, []);
});
