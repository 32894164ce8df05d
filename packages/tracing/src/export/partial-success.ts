/**
 * ExportTraceServiceResponse: what a destination took only in part.
 * https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export interface PartialSuccess {
  readonly rejected: number;
  readonly reason: string;
}

const all: PartialSuccess = { rejected: 0, reason: "" };

/** Never throws: an answer that cannot be read is taken as full success, as the protocol says for an empty one. */
export function readPartialSuccess(body: Buffer, contentType: string): PartialSuccess {
  if (body.length === 0) return all;
  try {
    return contentType.includes("json") ? fromJson(body) : fromProtobuf(body);
  } catch {
    return all;
  }
}

function fromJson(body: Buffer): PartialSuccess {
  const answer = JSON.parse(body.toString()) as {
    readonly partialSuccess?: { readonly rejectedSpans?: unknown; readonly errorMessage?: unknown };
  };
  const { rejectedSpans, errorMessage } = answer.partialSuccess ?? {};
  const rejected = Number(rejectedSpans ?? 0);
  if (!(rejected > 0)) return all;
  return { rejected, reason: typeof errorMessage === "string" ? errorMessage.slice(0, 200) : "" };
}

/** `partial_success = 1 { rejected_spans = 1; error_message = 2 }` */
function fromProtobuf(body: Buffer): PartialSuccess {
  let rejected = 0;
  let reason = "";
  for (const [field, value] of fieldsOf(body)) {
    if (field !== 1 || typeof value === "number") continue;
    for (const [inner, found] of fieldsOf(value)) {
      if (inner === 1 && typeof found === "number") rejected = found;
      if (inner === 2 && typeof found !== "number") reason = found.toString().slice(0, 200);
    }
  }
  return { rejected, reason };
}

/** Varints as numbers, all else as bytes. */
function* fieldsOf(bytes: Buffer): Generator<readonly [field: number, value: number | Buffer]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 0x80) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) {
      yield [tag >>> 3, varint()];
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : varint();
    yield [tag >>> 3, bytes.subarray(at, (at += length))];
  }
}
