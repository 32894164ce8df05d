/** The end of a span whose process died: its start, with an end, status ERROR and `weft.outcome` lost. */
import { SpanStatusCode } from "@opentelemetry/api";
import { ProtoBuffer } from "../export/proto-buffer.ts";
import { writeAttributes } from "../export/otlp-writer.ts";
import { Attr, Outcomes } from "../vocabulary.ts";
import { FrameKinds, makeFrame, spanPrefixBytes } from "./frame.ts";

/** `start`: payload of a start frame. `time`: epoch ms of the spool's last record; never later than the death. */
export function closingFrame(start: Buffer, time: number): Buffer {
  const out = new ProtoBuffer();
  const message = out.open(2);
  // In protobuf fields may be added at the end: nothing of the start is decoded.
  const fields = start.subarray(bodyStart(start));
  const at = out.length;
  out.skip(fields.length);
  out.fillBefore(at + fields.length, fields);
  out.nanos(8, time);
  writeAttributes(out, 9, { [Attr.outcome]: Outcomes.lost, [Attr.errorType]: Outcomes.lost });
  const status = out.open(15);
  out.uint(3, SpanStatusCode.ERROR);
  out.close(status);
  out.close(message);
  const prefix = Buffer.from(start.subarray(0, spanPrefixBytes));
  prefix[0] = FrameKinds.end;
  prefix.writeDoubleLE(time, 3);
  return makeFrame(Buffer.concat([prefix, out.view(0, out.length)]));
}

/** After the prefix stand the tag of field 2, one byte, and a varint. */
function bodyStart(payload: Buffer): number {
  let at = spanPrefixBytes + 1;
  while ((payload[at] ?? 0) > 0x7f) at += 1;
  return at + 1;
}
