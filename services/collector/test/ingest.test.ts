import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { OtlpTraces, TraceList } from "@weft/tracing/http";
import { nanoseconds, request, spanId, traceId } from "./support/otlp.ts";
import { bytes, double, fixed32, fixed64, keyValue, number, varint } from "./support/protobuf.ts";
import { get, post, store, useCollector } from "./support/use-collector.ts";

const protobuf = "application/x-protobuf";
const hex = (text: string): Buffer => Buffer.from(text, "hex");
const minusOne = Buffer.from([0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);

/** One request with every field of OTLP's trace messages, as JSON and as bytes made by hand. */
const fullJson = {
  resourceSpans: [
    {
      resource: {
        attributes: [{ key: "service.name", value: { stringValue: "dëskτ" } }],
        droppedAttributesCount: 1,
      },
      scopeSpans: [
        {
          scope: {
            name: "lib",
            version: "1.2",
            attributes: [{ key: "s", value: { boolValue: true } }],
            droppedAttributesCount: 2,
          },
          spans: [
            {
              traceId: traceId(7),
              spanId: spanId(8),
              traceState: "a=b",
              parentSpanId: spanId(9),
              flags: 0x301,
              name: "everything",
              kind: 3,
              startTimeUnixNano: nanoseconds(1),
              endTimeUnixNano: nanoseconds(2),
              attributes: [
                { key: "text", value: { stringValue: "x" } },
                { key: "yes", value: { boolValue: true } },
                { key: "minus one", value: { intValue: "-1" } },
                { key: "half", value: { doubleValue: 0.5 } },
                {
                  key: "list",
                  value: { arrayValue: { values: [{ stringValue: "a" }, { intValue: "300" }] } },
                },
                {
                  key: "map",
                  value: { kvlistValue: { values: [{ key: "k", value: { stringValue: "v" } }] } },
                },
                { key: "raw", value: { bytesValue: "AAEC" } },
                { key: "nothing", value: {} },
              ],
              droppedAttributesCount: 3,
              events: [
                {
                  timeUnixNano: nanoseconds(1),
                  name: "exception",
                  attributes: [{ key: "e", value: { doubleValue: "NaN" } }],
                  droppedAttributesCount: 4,
                },
              ],
              droppedEventsCount: 5,
              links: [
                {
                  traceId: traceId(5),
                  spanId: spanId(6),
                  traceState: "c=d",
                  attributes: [{ key: "l", value: { stringValue: "m" } }],
                  droppedAttributesCount: 6,
                  flags: 1,
                },
              ],
              droppedLinksCount: 7,
              status: { message: "broken", code: 2 },
            },
          ],
          schemaUrl: "https://example.com/scope",
        },
      ],
      schemaUrl: "https://example.com/resource",
    },
  ],
};

function fullProtobuf(): Buffer {
  const span = bytes(
    2,
    bytes(1, hex(traceId(7))),
    bytes(2, hex(spanId(8))),
    bytes(3, "a=b"),
    bytes(4, hex(spanId(9))),
    bytes(5, "everything"),
    number(6, 3),
    fixed64(7, BigInt(nanoseconds(1))),
    fixed64(8, BigInt(nanoseconds(2))),
    keyValue(9, "text", bytes(1, "x")),
    keyValue(9, "yes", number(2, 1)),
    keyValue(9, "minus one", minusOne),
    keyValue(9, "half", double(4, 0.5)),
    keyValue(9, "list", bytes(5, bytes(1, bytes(1, "a")), bytes(1, number(3, 300)))),
    keyValue(9, "map", bytes(6, keyValue(1, "k", bytes(1, "v")))),
    keyValue(9, "raw", bytes(7, Buffer.from([0, 1, 2]))),
    keyValue(9, "nothing"),
    number(10, 3),
    bytes(
      11,
      fixed64(1, BigInt(nanoseconds(1))),
      bytes(2, "exception"),
      keyValue(3, "e", double(4, NaN)),
      number(4, 4),
    ),
    number(12, 5),
    bytes(
      13,
      bytes(1, hex(traceId(5))),
      bytes(2, hex(spanId(6))),
      bytes(3, "c=d"),
      keyValue(4, "l", bytes(1, "m")),
      number(5, 6),
      fixed32(6, 1),
    ),
    number(14, 7),
    bytes(15, bytes(2, "broken"), number(3, 2)),
    fixed32(16, 0x301),
    // A field of a later version: to be skipped.
    bytes(99, "from the future"),
  );
  const resource = bytes(1, keyValue(1, "service.name", bytes(1, "dëskτ")), number(2, 1));
  const scope = bytes(1, bytes(1, "lib"), bytes(2, "1.2"), keyValue(3, "s", number(2, 1)), number(4, 2));
  const scopeSpans = bytes(2, scope, span, bytes(3, "https://example.com/scope"));
  return bytes(1, resource, scopeSpans, bytes(3, "https://example.com/resource"));
}

test("protobuf, JSON and their gzip store the same trace, with every field of OTLP", async (t) => {
  const bodies: [string, unknown, string, Record<string, string>][] = [
    ["json", fullJson, "application/json", {}],
    [
      "json gzip",
      gzipSync(JSON.stringify(fullJson)),
      "application/json; charset=utf-8",
      { "content-encoding": "gzip" },
    ],
    ["protobuf", fullProtobuf(), protobuf, {}],
    ["protobuf gzip", gzipSync(fullProtobuf()), protobuf, { "content-encoding": "gzip" }],
  ];
  for (const [name, body, contentType, headers] of bodies) {
    const { url } = await useCollector(t);
    await store(url, body, contentType, headers);
    assert.deepEqual(await get(url, `/api/traces/${traceId(7)}`), fullJson, name);
  }
});

test("a stored trace posted to another collector is the same trace there", async (t) => {
  const first = await useCollector(t);
  const second = await useCollector(t);
  await store(first.url, fullProtobuf(), protobuf);
  const trace = await get<OtlpTraces>(first.url, `/api/traces/${traceId(7)}`);
  await store(second.url, trace);
  assert.deepEqual(await get(second.url, `/api/traces/${traceId(7)}`), trace);
});

test("bytes of OpenTelemetry's own serializer are read", async (t) => {
  const { url } = await useCollector(t);
  const span = {
    name: "from the sdk",
    kind: 1,
    spanContext: () => ({ traceId: traceId(3), spanId: spanId(4), traceFlags: 1 }),
    parentSpanContext: { traceId: traceId(3), spanId: spanId(5), traceFlags: 1, isRemote: true },
    startTime: [1_700_000_000, 5] as [number, number],
    endTime: [1_700_000_001, 7] as [number, number],
    duration: [1, 2] as [number, number],
    status: { code: 2, message: "no" },
    attributes: { a: "b", n: 5, f: 1.5, list: [1, 2] },
    events: [{ name: "event", time: [1_700_000_000, 6] as [number, number], attributes: { x: true } }],
    links: [],
    ended: true,
    resource: {
      attributes: { "service.name": "sdk" },
      asyncAttributesPending: false,
      getRawAttributes: () => [],
    },
    instrumentationScope: { name: "scope", version: "3" },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
  const body = ProtobufTraceSerializer.serializeRequest([span] as never);
  assert.ok(body);
  await store(url, body, protobuf);
  const trace = await get<OtlpTraces>(url, `/api/traces/${traceId(3)}`);
  const [stored] = trace.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.equal(stored?.name, "from the sdk");
  assert.equal(stored?.parentSpanId, spanId(5));
  assert.equal(stored?.startTimeUnixNano, "1700000000000000005");
  assert.equal(stored?.endTimeUnixNano, "1700000001000000007");
  assert.deepEqual(stored?.status, { code: 2, message: "no" });
  assert.deepEqual(stored?.attributes?.find(({ key }) => key === "list")?.value, {
    arrayValue: { values: [{ intValue: "1" }, { intValue: "2" }] },
  });
  assert.equal(stored?.events?.[0]?.name, "event");
});

test("spans without usable ids or times are rejected by count, the others of the request are stored", async (t) => {
  const { url } = await useCollector(t);
  const good = request([{ id: 1, name: "good" }]);
  const bad = request([
    { id: 0, name: "no id" },
    { id: 2, trace: 0 },
  ]);
  const mixed = { resourceSpans: [...bad.resourceSpans, ...good.resourceSpans] };
  const json = await post(url, mixed);
  assert.equal(json.status, 200);
  assert.equal(json.headers.get("content-type"), "application/json");
  assert.deepEqual(await json.json(), {
    partialSuccess: { rejectedSpans: "2", errorMessage: 'span "no id" has no valid span id' },
  });
  const { traces } = await get<TraceList>(url, "/api/traces");
  assert.deepEqual(
    traces.map(({ spanCount }) => spanCount),
    [1],
  );

  const binary = await post(url, bytes(1, bytes(2, bytes(2, bytes(5, "nameless")))), protobuf);
  assert.equal(binary.headers.get("content-type"), protobuf);
  const reason = 'span "nameless" has no valid trace id';
  const expected = bytes(1, number(1, 1), bytes(2, reason));
  assert.deepEqual(Buffer.from(await binary.arrayBuffer()), expected);
});

test("a full success answers an empty message in the content type of the request", async (t) => {
  const { url } = await useCollector(t);
  const json = await post(url, request([{ id: 1 }]));
  assert.equal(json.headers.get("content-type"), "application/json");
  assert.equal(await json.text(), "{}");
  const binary = await post(url, new Uint8Array(), protobuf);
  assert.equal(binary.status, 200);
  assert.equal(binary.headers.get("content-type"), protobuf);
  assert.equal((await binary.arrayBuffer()).byteLength, 0);
});

test("a malformed body is 400 with the reason, and stores nothing", async (t) => {
  const { url } = await useCollector(t);
  const deep = (depth: number): Buffer => (depth === 0 ? bytes(1, "x") : bytes(5, bytes(1, deep(depth - 1))));
  const inSpan = (field: Buffer): Buffer =>
    bytes(1, bytes(2, bytes(2, bytes(1, hex(traceId())), bytes(2, hex(spanId(1))), field)));
  const cases: [string, unknown, string, RegExp][] = [
    ["text", "not json", "application/json", /not JSON/],
    ["array", [], "application/json", /must be an object/],
    ["wrong list", { resourceSpans: {} }, "application/json", /resourceSpans must be an array/],
    [
      "wrong id",
      request([{ id: 1 }]).resourceSpans.map(() => ({
        resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "xyz" }] }] }],
      }))[0],
      "application/json",
      /traceId must be hex/,
    ],
    [
      "wrong time",
      { resourceSpans: [{ scopeSpans: [{ spans: [{ startTimeUnixNano: 1.5 }] }] }] },
      "application/json",
      /startTimeUnixNano/,
    ],
    ["truncated", fullProtobuf().subarray(0, 100), protobuf, /ends in the middle/],
    ["json as protobuf", Buffer.from(JSON.stringify(fullJson)), protobuf, /not an OTLP trace request/],
    ["wire type", inSpan(number(9, 1)), protobuf, /wire type/],
    ["endless number", Buffer.alloc(20, 0xff), protobuf, /ten bytes/],
    ["huge length", Buffer.concat([varint(10), varint(2 ** 50)]), protobuf, /ends in the middle/],
    ["too deep", inSpan(keyValue(9, "deep", deep(100))), protobuf, /too deep/],
    ["field zero", Buffer.from([0x02, 0x00]), protobuf, /no valid number/],
  ];
  for (const [name, body, contentType, reason] of cases) {
    const response = await post(url, body, contentType);
    const text = Buffer.from(await response.arrayBuffer()).toString();
    assert.equal(response.status, 400, `${name}: ${text}`);
    assert.match(text, reason, name);
    assert.equal(response.headers.get("content-type"), contentType, name);
    assert.doesNotMatch(text, /at .*\.ts/, name);
  }
  assert.deepEqual(await get(url, "/api/traces"), { traces: [] });
});

test("an error answers JSON clients with a Status that also is the collector's own error", async (t) => {
  const { url } = await useCollector(t);
  const message = "the body is not JSON";
  const response = await post(url, "{");
  assert.deepEqual(await response.json(), { code: 3, message, error: { code: "invalid_argument", message } });
  const binary = await post(url, Buffer.from([0x02]), protobuf);
  assert.equal(Buffer.from(await binary.arrayBuffer())[1], 3);
});

test("a malformed request harms no request that is committed with it", async (t) => {
  const { url } = await useCollector(t);
  const all = Array.from({ length: 40 }, (_, index) =>
    index % 2 === 0
      ? post(url, request([{ id: 1, trace: index + 1 }]))
      : post(url, Buffer.from([0x02]), protobuf),
  );
  const statuses = (await Promise.all(all)).map(({ status }) => status);
  assert.deepEqual(
    statuses,
    statuses.map((_, index) => (index % 2 === 0 ? 200 : 400)),
  );
  const { traces } = await get<TraceList>(url, "/api/traces");
  assert.equal(traces.length, 20);
});

test("bodies over the limits are 413, before and after gzip, and the client sees the answer", async (t) => {
  const { url } = await useCollector(t, { limits: { bodyBytes: 100_000, inflatedBytes: 200_000 } });
  const large = await post(url, `"${"x".repeat(3_000_000)}"`);
  assert.equal(large.status, 413);
  assert.match(await large.text(), /larger than 100000 bytes/);
  const bomb = await post(url, gzipSync(Buffer.alloc(50_000_000)), protobuf, { "content-encoding": "gzip" });
  assert.equal(bomb.status, 413);
  assert.match(Buffer.from(await bomb.arrayBuffer()).toString(), /200000 bytes after gzip/);
  const chunked = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": protobuf },
    body: new Blob([Buffer.alloc(300_000)]).stream(),
    duplex: "half",
  });
  assert.equal(chunked.status, 413);
  await store(url, request([{ id: 1 }]));
});

test("broken gzip, other encodings, other content types and other methods are refused by name", async (t) => {
  const { url } = await useCollector(t);
  const broken = await post(url, Buffer.from("nonsense"), protobuf, { "content-encoding": "gzip" });
  assert.equal(broken.status, 400);
  const cut = await post(url, gzipSync(fullProtobuf()).subarray(0, 50), protobuf, {
    "content-encoding": "gzip",
  });
  assert.equal(cut.status, 400);
  const brotli = await post(url, "{}", "application/json", { "content-encoding": "br" });
  assert.equal(brotli.status, 415);
  const text = await post(url, "{}", "text/plain");
  assert.equal(text.status, 415);
  assert.match(await text.text(), /application\/x-protobuf or application\/json/);
  const got = await fetch(`${url}/v1/traces`, { headers: { "content-type": "application/json" } });
  assert.equal(got.status, 405);
  assert.equal(got.headers.get("allow"), "POST");
});

test("a full queue answers 429 with Retry-After, and takes requests again when it has drained", async (t) => {
  const { url } = await useCollector(t, { limits: { queueBytes: 300_000 } });
  const body = JSON.stringify(request([{ id: 1, attributes: { text: "x".repeat(200_000) } }]));
  const responses = await Promise.all(Array.from({ length: 20 }, () => post(url, body)));
  const refused = responses.filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0);
  assert.ok(responses.length > refused.length);
  for (const response of refused) {
    assert.equal(response.status, 429);
    assert.equal(response.headers.get("retry-after"), "1");
  }
  await store(url, body);
});

test("a span sent twice, in one request or in many, is stored and counted once", async (t) => {
  const { url } = await useCollector(t);
  const spans = request([
    { id: 1 },
    { id: 2, parent: 1, status: { code: 2 } },
    { id: 2, parent: 1, name: "again" },
  ]);
  await Promise.all([store(url, spans), store(url, spans), store(url, spans)]);
  await store(url, spans);
  const { traces } = await get<TraceList>(url, "/api/traces");
  assert.deepEqual(
    traces.map(({ spanCount, errorCount }) => ({ spanCount, errorCount })),
    [{ spanCount: 2, errorCount: 1 }],
  );
  const trace = await get<OtlpTraces>(url, `/api/traces/${traceId()}`);
  assert.deepEqual(
    trace.resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
    ),
    ["span 1", "span 2"],
  );
});
