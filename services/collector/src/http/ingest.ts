/** `POST /v1/traces`: OTLP/HTTP. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
import { contentTypes, encodeExportResponse, encodeStatus } from "../otlp/export-response.ts";
import type { OtlpEncoding } from "../otlp/export-response.ts";
import type { Store } from "../store/store.ts";
import { requireMethod, sendBytes, sendError, sendFailure } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { HttpError, toErrorAnswer } from "./http-error.ts";
import { readBody } from "./read-body.ts";
import type { BodyLimits, ByteBudget } from "./read-body.ts";

export interface IngestOptions {
  readonly store: Store;
  readonly limits: BodyLimits;
  readonly budget: ByteBudget;
}

/** Answers in the content type of the request, errors too. */
export async function ingest(
  exchange: Exchange,
  authorize: () => void,
  options: IngestOptions,
): Promise<void> {
  const encoding = encodingOf(exchange.request.headers["content-type"] ?? "");
  if (encoding === undefined) {
    const expected = `${contentTypes.protobuf} or ${contentTypes.json}`;
    return sendError(exchange, new HttpError(415, "invalid_argument", `content-type must be ${expected}`));
  }
  try {
    requireMethod(exchange, "POST");
    authorize();
    const body = await readBody(exchange.request, options.limits, options.budget);
    const { rejected, reason } = await options.store.append({ encoding, body });
    sendBytes(exchange, 200, contentTypes[encoding], encodeExportResponse(encoding, rejected, reason));
  } catch (error) {
    const { status, grpcCode, code, message, headers } = toErrorAnswer(error);
    sendFailure(
      exchange,
      status,
      contentTypes[encoding],
      encodeStatus(encoding, grpcCode, code, message),
      headers,
    );
  }
}

function encodingOf(contentType: string): OtlpEncoding | undefined {
  const type = contentType.split(";")[0]?.trim().toLowerCase();
  if (type === contentTypes.protobuf) return "protobuf";
  return type === contentTypes.json ? "json" : undefined;
}
