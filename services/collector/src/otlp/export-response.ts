/** What an OTLP client is answered, in the content type it spoke. */
import { ProtoWriter } from "./proto-writer.ts";

export type OtlpEncoding = "protobuf" | "json";

export const contentTypes: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/**
 * ExportTraceServiceResponse. `partial_success` stays unset when nothing was rejected, as the spec demands.
 * Spec: https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export function encodeExportResponse(encoding: OtlpEncoding, rejected: number, reason: string): Buffer {
  if (encoding === "json") {
    const partialSuccess = { rejectedSpans: String(rejected), errorMessage: reason };
    return Buffer.from(JSON.stringify(rejected === 0 ? {} : { partialSuccess }));
  }
  const writer = new ProtoWriter();
  if (rejected > 0) {
    writer.message(1, () => {
      writer.int64(1, BigInt(rejected));
      writer.string(2, reason);
    });
  }
  return writer.finish();
}

/**
 * `google.rpc.Status`, the body of an OTLP error. As JSON it also carries the collector's own `error` member, which
 * OTLP clients skip as an unknown field.
 * Spec: https://opentelemetry.io/docs/specs/otlp/#failures-1
 */
export function encodeStatus(
  encoding: OtlpEncoding,
  grpcCode: number,
  code: string,
  message: string,
): Buffer {
  if (encoding === "json")
    return Buffer.from(JSON.stringify({ code: grpcCode, message, error: { code, message } }));
  const writer = new ProtoWriter();
  writer.uint32(1, grpcCode);
  writer.string(2, message);
  return writer.finish();
}
