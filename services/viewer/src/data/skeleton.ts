/**
 * A trace's tree as the collector sends it (`GET /api/traces/{id}/skeleton`, layout in the collector's `trace/skeleton.ts`):
 * columns over the received bytes, nothing per span is allocated. Spans stand in depth-first order, so a parent's index is smaller
 * than its children's and a subtree is one run of indexes.
 */
import { fail, succeed } from "./result.ts";
import type { Result } from "./result.ts";

/** What spans have in common but for id, parent and times. */
export interface SpanShape {
  readonly name: string;
  readonly service: string;
  /** `weft.span.type`; "" when the producer gave none. */
  readonly type: string;
  readonly agent: string;
  /** OTLP's span kind. */
  readonly kind: number;
}

export interface Skeleton {
  readonly traceId: string;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly shapes: readonly SpanShape[];
  readonly spanId: (index: number) => string;
  /** -1 for a root and for an orphan. */
  readonly parent: (index: number) => number;
  /** Milliseconds after the trace's start. */
  readonly start: (index: number) => number;
  /** Milliseconds; 0 while the span is open. */
  readonly duration: (index: number) => number;
  readonly shape: (index: number) => SpanShape;
  /** Bits of `SpanFlags`. */
  readonly flags: (index: number) => number;
  /** -1 when the trace has no such span. */
  readonly indexOf: (spanId: string) => number;
}

export const SpanFlags = {
  error: 1,
  orphan: 2,
  open: 4,
  lost: 8,
  outcome: 16,
  messages: 32,
  appends: 64,
  remoteParent: 128,
} as const;

const magic = 0x31_4b_53_57; // "WSK1", read little-endian
const headerBytes = 32;
const noShape: SpanShape = { name: "", service: "", type: "", agent: "", kind: 0 };

export function decodeSkeleton(buffer: ArrayBuffer): Result<Skeleton> {
  const malformed = fail(
    "malformed",
    "The collector's trace cannot be read.",
    "The page and the collector are of different versions: reload the page.",
  );
  if (buffer.byteLength < headerBytes) return malformed;
  const view = new DataView(buffer);
  const count = view.getUint32(4, true);
  const tailBytes = view.getUint32(24, true);
  const tailAt = headerBytes + 24 * count;
  if (view.getUint32(0, true) !== magic || tailAt + tailBytes !== buffer.byteLength) return malformed;
  const tail = parseTail(new Uint8Array(buffer, tailAt, tailBytes));
  return tail === undefined ? malformed : succeed(createSkeleton(view, count, tail));
}

interface Tail {
  readonly traceId: string;
  readonly shapes: readonly SpanShape[];
}

function parseTail(bytes: Uint8Array): Tail | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Tail>;
    return typeof value.traceId === "string" && Array.isArray(value.shapes) ? (value as Tail) : undefined;
  } catch {
    return undefined;
  }
}

function createSkeleton(view: DataView, count: number, { traceId, shapes }: Tail): Skeleton {
  const tickMs = view.getFloat64(16, true) / 1e6;
  const column = (at: number) => (index: number) => view.getUint32(at + 4 * index, true);
  const starts = column(headerBytes + 12 * count);
  const durations = column(headerBytes + 16 * count);
  const marks = column(headerBytes + 20 * count);
  const spanId = (index: number): string =>
    view
      .getBigUint64(headerBytes + 8 * index)
      .toString(16)
      .padStart(16, "0");
  let indexes: Map<string, number> | undefined;
  return {
    traceId,
    count,
    shapes,
    startTime: Number(view.getBigInt64(8, true)) / 1e6,
    spanId,
    parent: (index) => view.getInt32(headerBytes + 8 * count + 4 * index, true),
    start: (index) => starts(index) * tickMs,
    duration: (index) => durations(index) * tickMs,
    shape: (index) => shapes[marks(index) & 0xff_ff_ff] ?? noShape,
    flags: (index) => marks(index) >>> 24,
    indexOf: (id) => {
      indexes ??= new Map(Array.from({ length: count }, (_, index) => [spanId(index), index]));
      return indexes.get(id) ?? -1;
    },
  };
}
