/** Reads the skeleton by its documented layout, with nothing of the collector's own. */
import assert from "node:assert/strict";

export interface SkeletonSpan {
  readonly spanId: string;
  readonly parent: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly flags: number;
  readonly shape: {
    readonly name: string;
    readonly service: string;
    readonly type: string;
    readonly agent: string;
    readonly kind: number;
  };
}

export interface Skeleton {
  readonly traceId: string;
  readonly start: bigint;
  readonly spans: readonly SkeletonSpan[];
}

export function decodeSkeleton(bytes: ArrayBuffer): Skeleton {
  const view = new DataView(bytes);
  assert.equal(Buffer.from(bytes, 0, 4).toString(), "WSK1");
  const count = view.getUint32(4, true);
  const tick = view.getFloat64(16, true);
  const tailLength = view.getUint32(24, true);
  assert.equal(bytes.byteLength, 32 + 24 * count + tailLength);
  const tail = JSON.parse(Buffer.from(bytes, 32 + 24 * count, tailLength).toString()) as {
    traceId: string;
    shapes: SkeletonSpan["shape"][];
  };
  const spans = Array.from({ length: count }, (_, index): SkeletonSpan => {
    const word = view.getUint32(32 + 20 * count + 4 * index, true);
    const shape = tail.shapes[word & 0xff_ffff];
    assert.ok(shape);
    return {
      spanId: Buffer.from(bytes, 32 + 8 * index, 8).toString("hex"),
      parent: view.getInt32(32 + 8 * count + 4 * index, true),
      startMs: (view.getUint32(32 + 12 * count + 4 * index, true) * tick) / 1e6,
      durationMs: (view.getUint32(32 + 16 * count + 4 * index, true) * tick) / 1e6,
      flags: word >>> 24,
      shape,
    };
  });
  return { traceId: tail.traceId, start: view.getBigInt64(8, true), spans };
}
