import type { SpanShape } from "../../src/data/skeleton.ts";

export interface SkeletonSpan extends Partial<SpanShape> {
  readonly id: string;
  /** Index in the list; -1: none. */
  readonly parent: number;
  /** Milliseconds. */
  readonly start?: number;
  readonly duration?: number;
  readonly flags?: number;
}

/** Bytes as the layout's table has them, written by hand: neither the collector's writer nor the page's reader takes part. */
export function makeSkeleton(
  spans: readonly SkeletonSpan[],
  { startMs = 1_700_000_000_000, tick = 1000 } = {},
): ArrayBuffer {
  const count = spans.length;
  const shapes = spans.map(({ name = "span", service = "one", type = "", agent = "", kind = 1 }) => ({
    name,
    service,
    type,
    agent,
    kind,
  }));
  const tail = new TextEncoder().encode(JSON.stringify({ traceId: "ab".repeat(16), shapes }));
  const buffer = new ArrayBuffer(32 + 24 * count + tail.length);
  const view = new DataView(buffer);
  for (const [index, letter] of new TextEncoder().encode("WSK1").entries()) view.setUint8(index, letter);
  view.setUint32(4, count, true);
  view.setBigInt64(8, BigInt(startMs) * 1_000_000n, true);
  view.setFloat64(16, tick, true);
  view.setUint32(24, tail.length, true);
  for (const [index, span] of spans.entries()) {
    view.setBigUint64(32 + 8 * index, BigInt(`0x${span.id}`));
    view.setInt32(32 + 8 * count + 4 * index, span.parent, true);
    view.setUint32(32 + 12 * count + 4 * index, ((span.start ?? 0) * 1e6) / tick, true);
    view.setUint32(32 + 16 * count + 4 * index, ((span.duration ?? 0) * 1e6) / tick, true);
    view.setUint32(32 + 20 * count + 4 * index, index + (span.flags ?? 0) * 0x100_0000, true);
  }
  new Uint8Array(buffer, 32 + 24 * count).set(tail);
  return buffer;
}
