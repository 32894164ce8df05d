import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WeftError } from "@weft/tracing";
import { decodeResource, decodeScope, decodeSpan } from "@weft/tracing/internal";
import { encodeRequest } from "../src/otlp/encode-request.ts";
import { scanRequest } from "../src/otlp/scan-request.ts";
import type { ScannedRequest } from "../src/otlp/scan-request.ts";
import { request } from "./support/otlp.ts";

const valid = encodeRequest(
  JSON.stringify(
    request([
      { id: 1, attributes: { "service.name": "x", list: ["a", "b"], half: 0.5, yes: true, many: 2 ** 40 } },
      { id: 2, parent: 1, status: { code: 2, message: "no" }, flags: 0x301 },
    ]),
  ),
);

/** Undefined when the bytes were refused the proper way. */
function scan(bytes: Buffer): ScannedRequest | undefined {
  try {
    return scanRequest(bytes);
  } catch (error) {
    assert.ok(error instanceof WeftError, String(error));
    assert.equal(error.code, "invalid_argument");
    return undefined;
  }
}

function readBack(scanned: ScannedRequest): void {
  for (const { bytes, group, traceId, spanId } of scanned.spans) {
    const span = decodeSpan(bytes);
    assert.deepEqual([span.traceId, span.spanId], [traceId, spanId]);
    decodeResource(group.resource);
    decodeScope(group.scope);
  }
}

test("whatever bytes arrive, they are refused as such or stored so that they can be read back", () => {
  const edit = fc.record({ at: fc.nat(valid.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
  const whole = { weight: 4, arbitrary: fc.constant(valid.length) };
  const length = fc.oneof(whole, { weight: 1, arbitrary: fc.nat(valid.length) });
  let stored = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), length, (edits, length) => {
      const bytes = Buffer.from(valid.subarray(0, length));
      for (const { at, byte } of edits) if (at < bytes.length) bytes[at] = byte;
      const scanned = scan(bytes);
      if (scanned === undefined) return;
      stored += 1;
      readBack(scanned);
    }),
    { numRuns: 3000, seed: 7 },
  );
  // Neither way may be the only one taken.
  assert.ok(stored > 300 && stored < 2700, String(stored));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const scanned = scan(Buffer.from(bytes));
      if (scanned !== undefined) readBack(scanned);
    }),
    { numRuns: 1000, seed: 7 },
  );
});

test("values of every size survive JSON to bytes and back", () => {
  const text = fc.string({ unit: "binary", maxLength: 400 });
  const int = fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => ({ intValue: String(value) }));
  const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ doubleValue: value }));
  const value = fc.oneof(
    text.map((stringValue) => ({ stringValue: Buffer.from(stringValue).toString() })),
    int,
    double,
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ bytesValue: Buffer.from(bytes).toString("base64") })),
  );
  const list = fc.array(value, { maxLength: 5 }).map((values) => ({ arrayValue: { values } }));
  fc.assert(
    fc.property(fc.array(fc.oneof(value, list), { maxLength: 8 }), (values) => {
      const attributes = values.map((entry, index) => ({ key: `k${String(index)}`, value: entry }));
      const [span] = request([{ id: 1 }]).resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
      const body = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, attributes }] }] }] };
      const scanned = scanRequest(encodeRequest(JSON.stringify(body)));
      const bytes = scanned.spans[0]?.bytes;
      assert.ok(bytes);
      // JSON has no minus zero.
      const plain = JSON.parse(JSON.stringify(attributes)) as unknown;
      assert.deepEqual(JSON.parse(JSON.stringify(decodeSpan(bytes).attributes)), plain);
    }),
    { numRuns: 500, seed: 7 },
  );
});
