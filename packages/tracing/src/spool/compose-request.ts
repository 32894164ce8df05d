/** An ExportTraceServiceRequest out of spans that are encoded already. */
import { spanPrefixBytes } from "./frame.ts";

/** `payloads`: of `end` frames. The spans themselves are not copied. */
export function composeRequest(
  resource: Buffer,
  schemaUrl: string,
  scopes: ReadonlyMap<number, Buffer>,
  payloads: readonly Buffer[],
): readonly Uint8Array[] {
  const groups = new Map<number, Buffer[]>();
  for (const payload of payloads) {
    const scope = payload.readUInt16LE(1);
    const spans = groups.get(scope) ?? [];
    spans.push(payload.subarray(spanPrefixBytes));
    groups.set(scope, spans);
  }
  const inner: Uint8Array[] = [field(1, resource)];
  for (const [scope, spans] of groups) inner.push(...scopeSpans(scopes.get(scope) ?? Buffer.alloc(0), spans));
  if (schemaUrl !== "") inner.push(field(3, Buffer.from(schemaUrl)));
  return [prefix(1, lengthOf(inner)), ...inner];
}

function scopeSpans(scope: Buffer, spans: readonly Buffer[]): readonly Uint8Array[] {
  return [prefix(2, scope.length + lengthOf(spans)), scope, ...spans];
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([prefix(number, bytes.length), bytes]);
}

/** Tag and length of a nested message, for fields 1 to 15. */
function prefix(number: number, length: number): Buffer {
  const bytes = [number * 8 + 2];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}
