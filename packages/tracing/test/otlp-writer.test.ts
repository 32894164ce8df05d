import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { SpanContext } from "@opentelemetry/api";
import { encodeLongTexts, findLongTexts } from "../src/export/long-texts.ts";
import { OtlpWriter } from "../src/export/otlp-writer.ts";
import type { SpanRecord } from "../src/spans/span-record.ts";
import { parseTraceState } from "../src/context/trace-state.ts";
import { decodeRequest, spansOf } from "./support/decode-otlp.ts";

const scope = { name: "weft", version: "1.2.3" };

function record(change: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: "00f067aa0ba902b7",
    parentIsRemote: true,
    traceFlags: TraceFlags.SAMPLED,
    traceState: "",
    scope,
    kind: SpanKind.CLIENT,
    name: "chat gpt",
    startTime: 1_795_311_934_547,
    endTime: 1_795_311_934_548.5,
    attributes: {},
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: SpanStatusCode.UNSET },
    ...change,
  };
}

/** The same span as OpenTelemetry's SDK hands it to its serializer. */
function readable(span: SpanRecord): object {
  const hrTime = (milliseconds: number): [number, number] => {
    const seconds = Math.floor(milliseconds / 1000);
    return [seconds, Math.floor((milliseconds - seconds * 1000) * 1e6)];
  };
  const contextOf = (spanId: string): SpanContext => ({
    traceId: span.traceId,
    spanId,
    traceFlags: span.traceFlags,
  });
  const traceState = span.traceState === "" ? undefined : parseTraceState(span.traceState);
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => ({ ...contextOf(span.spanId), ...(traceState === undefined ? {} : { traceState }) }),
    parentSpanContext:
      span.parentSpanId === undefined
        ? undefined
        : { ...contextOf(span.parentSpanId), isRemote: span.parentIsRemote },
    startTime: hrTime(span.startTime),
    endTime: hrTime(span.endTime),
    duration: [0, 0],
    ended: true,
    status: span.status,
    attributes: span.attributes,
    droppedAttributesCount: span.droppedAttributes,
    events: span.events.map((event) => ({
      name: event.name,
      time: hrTime(event.time),
      attributes: event.attributes,
      droppedAttributesCount: event.droppedAttributes,
    })),
    droppedEventsCount: span.droppedEvents,
    links: span.links.map((link) => ({ ...link, droppedAttributesCount: link.droppedAttributes })),
    droppedLinksCount: span.droppedLinks,
    resource: resourceFromAttributes({ "service.name": "desk", "process.pid": 7 }),
    instrumentationScope: span.scope,
  };
}

const resource = { "service.name": "desk", "process.pid": 7 };

function written(spans: readonly SpanRecord[]): Buffer {
  return Buffer.concat(new OtlpWriter(resource, "").write(spans));
}

const samples: Record<string, SpanRecord> = {
  "a root without anything": record({ parentSpanId: undefined, parentIsRemote: false }),
  "a child with every kind of attribute": record({
    traceState: "vendor=1,other=2",
    attributes: {
      text: "ä€😀",
      flag: true,
      off: false,
      count: 42,
      below: -7,
      big: 2 ** 52,
      ratio: 0.25,
      list: ["a", "b"],
      numbers: [1, 2.5],
    },
    droppedAttributes: 3,
  }),
  "events, links and an error": record({
    events: [
      {
        name: "exception",
        time: 1_795_311_934_547.25,
        attributes: { "exception.type": "Error" },
        droppedAttributes: 1,
      },
    ],
    droppedEvents: 2,
    links: [
      {
        context: { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1, isRemote: true },
        attributes: { why: "asked" },
        droppedAttributes: 0,
      },
    ],
    droppedLinks: 4,
    status: { code: SpanStatusCode.ERROR, message: "no way" },
  }),
  "texts around every length that needs another byte": record({
    attributes: Object.fromEntries(
      [0, 1, 23, 24, 25, 110, 111, 112, 113, 126, 127, 128, 16_383, 16_384, 70_000].map((n) => [
        `n${n}`,
        "x".repeat(n),
      ]),
    ),
  }),
};

for (const [what, span] of Object.entries(samples)) {
  test(`The writer says of ${what} what OpenTelemetry's own serializer says`, () => {
    const theirs = ProtobufTraceSerializer.serializeRequest([readable(span) as never]);
    assert.ok(theirs !== undefined);
    assert.deepEqual(decodeRequest(written([span])), decodeRequest(theirs));
  });
}

test("Spans of several scopes go out under their own scope", () => {
  const other = { name: "http", schemaUrl: "https://example.test/1" };
  const tree = decodeRequest(
    written([record(), record({ scope: other, name: "GET" }), record({ name: "third" })]),
  );
  const groups = tree["resourceSpans"] as {
    scopeSpans: { scope: { name: string }; schemaUrl?: string; spans: { name: string }[] }[];
  }[];
  assert.deepEqual(
    groups.map(({ scopeSpans: [inner] }) => [
      inner?.scope.name,
      inner?.schemaUrl,
      inner?.spans.map(({ name }) => name),
    ]),
    [
      ["weft", undefined, ["chat gpt", "third"]],
      ["http", "https://example.test/1", ["GET"]],
    ],
  );
});

test("A writer gives the same bytes for every batch, also after one that outgrew its buffer", () => {
  const writer = new OtlpWriter(resource, "https://example.test/schema");
  const small = [record({ name: "small" })];
  const first = Buffer.concat(writer.write(small));
  const huge = writer.write([record({ attributes: { text: "€".repeat(2_000_000) } })]);
  assert.equal(spansOf(Buffer.concat(huge))[0]?.attributes["text"], "€".repeat(2_000_000));
  assert.deepEqual(Buffer.concat(writer.write(small)), first);
});

test("Times keep their microseconds", () => {
  const [span] = spansOf(
    written([record({ startTime: 1_795_311_934_547.25, endTime: 1_795_311_934_547.9375 })]),
  );
  assert.equal(span?.["start"], 1_795_311_934_547_250_000n);
  assert.equal(span?.["end"], 1_795_311_934_547_937_500n);
});

test("A text that was encoded ahead, in pieces, gives the very bytes that it gives in one go", async () => {
  const writer = new OtlpWriter({ "service.name": "desk" }, "https://schema");
  // Pairs of surrogates, and one without its other half, on the borders of pieces.
  const odd = `${"x".repeat(256 * 1024 - 1)}😀${"漢".repeat(300_000)}\ud83d${"é".repeat(200_000)}`;
  const plainText = "y".repeat(600_000);
  const records = [
    record({ attributes: { before: "a", odd, after: 7, plain: plainText } }),
    record({ name: "small", attributes: { a: 1 } }),
    record({ events: [{ name: "e", time: 1, attributes: { odd }, droppedAttributes: 0 }] }),
    record({ scope: { name: "other" }, attributes: { plain: plainText } }),
  ];
  const expected = Buffer.concat(writer.write(records));
  const texts = await encodeLongTexts(findLongTexts(records));
  assert.equal(texts.size, 2);
  const parts = writer.write(records, texts);
  assert.ok(parts.length > 10);
  assert.ok(Buffer.concat(parts).equals(expected));
  const decoded = spansOf(expected);
  assert.equal(decoded[0]?.attributes["odd"], odd.toWellFormed());
});
