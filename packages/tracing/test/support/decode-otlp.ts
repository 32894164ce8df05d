/** A reader of OTLP protobuf that shares nothing with the writer under test: field by field, from the .proto files. */

type Kind = "string" | "hex" | "uint" | "count" | "nanos" | "fixed32" | "double" | "int64" | Message;
interface Message {
  readonly [field: number]: readonly [name: string, kind: Kind, list?: "list"];
}
export type Tree = Record<string, unknown>;

const anyValue: Record<number, readonly [string, Kind, "list"?]> = {
  1: ["string", "string"],
  2: ["bool", "uint"],
  3: ["int", "int64"],
  4: ["double", "double"],
};
anyValue[5] = ["array", { 1: ["values", anyValue, "list"] }];
const keyValue: Message = { 1: ["key", "string"], 2: ["value", anyValue] };
anyValue[6] = ["map", { 1: ["values", keyValue, "list"] }];
anyValue[7] = ["bytes", "hex"];
const event: Message = {
  1: ["time", "nanos"],
  2: ["name", "string"],
  3: ["attributes", keyValue, "list"],
  4: ["droppedAttributes", "count"],
};
const link: Message = {
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  3: ["traceState", "string"],
  4: ["attributes", keyValue, "list"],
  5: ["droppedAttributes", "count"],
  6: ["flags", "fixed32"],
};
const span: Message = {
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  3: ["traceState", "string"],
  4: ["parentSpanId", "hex"],
  5: ["name", "string"],
  6: ["kind", "uint"],
  7: ["start", "nanos"],
  8: ["end", "nanos"],
  9: ["attributes", keyValue, "list"],
  10: ["droppedAttributes", "count"],
  11: ["events", event, "list"],
  12: ["droppedEvents", "count"],
  13: ["links", link, "list"],
  14: ["droppedLinks", "count"],
  15: ["status", { 2: ["message", "string"], 3: ["code", "count"] }],
  16: ["flags", "fixed32"],
};
const scope: Message = { 1: ["name", "string"], 2: ["version", "string"], 4: ["droppedAttributes", "count"] };
const scopeSpans: Message = { 1: ["scope", scope], 2: ["spans", span, "list"], 3: ["schemaUrl", "string"] };
const resource: Message = { 1: ["attributes", keyValue, "list"], 2: ["droppedAttributes", "count"] };
const resourceSpans: Message = {
  1: ["resource", resource],
  2: ["scopeSpans", scopeSpans, "list"],
  3: ["schemaUrl", "string"],
};
const request: Message = { 1: ["resourceSpans", resourceSpans, "list"] };

export function decodeRequest(bytes: Uint8Array): Tree {
  return decode(Buffer.from(bytes), request);
}

export interface DecodedSpan extends Tree {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Record<string, unknown>;
  readonly resource: Record<string, unknown>;
}

/** Every span of a request, attributes as plain records, with the resource it came from. */
export function spansOf(bytes: Uint8Array): DecodedSpan[] {
  const spans: DecodedSpan[] = [];
  for (const group of list(decodeRequest(bytes)["resourceSpans"])) {
    const from = plain((group["resource"] as Tree | undefined)?.["attributes"]);
    for (const inner of list(group["scopeSpans"])) {
      for (const found of list(inner["spans"])) {
        spans.push({
          ...found,
          attributes: plain(found["attributes"]),
          resource: from,
        } as unknown as DecodedSpan);
      }
    }
  }
  return spans;
}

export function plain(pairs: unknown): Record<string, unknown> {
  return Object.fromEntries(list(pairs).map((pair) => [pair["key"], value(pair["value"] as Tree)]));
}

function value(tree: Tree): unknown {
  if ("array" in tree) return list((tree["array"] as Tree)["values"]).map(value);
  if ("map" in tree) return plain((tree["map"] as Tree)["values"]);
  if ("bool" in tree) return tree["bool"] === 1;
  return Object.values(tree)[0] ?? null;
}

function list(value: unknown): Tree[] {
  return (value ?? []) as Tree[];
}

function decode(buffer: Buffer, message: Message): Tree {
  const tree: Tree = {};
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer.readUInt8(at++);
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
  };
  while (at < buffer.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const field = message[tag >> 3];
    let raw: bigint | Buffer;
    if (wire === 0) raw = varint();
    else {
      const length = wire === 1 ? 8 : wire === 5 ? 4 : Number(varint());
      raw = buffer.subarray(at, (at += length));
      if (raw.length !== length) throw new RangeError("a field runs over the end");
    }
    if (field === undefined) throw new RangeError(`unknown field ${tag >> 3}`);
    const [name, kind, repeated] = field;
    const read = readField(raw, kind);
    if (kind === "count" && read === 0) continue; // proto3's default: to write it or not is the same
    if (name === "status" && Object.keys(read as Tree).length === 0) continue;
    if (repeated === "list") ((tree[name] ??= []) as unknown[]).push(read);
    else tree[name] = read;
  }
  return tree;
}

function readField(raw: bigint | Buffer, kind: Kind): unknown {
  if (typeof raw === "bigint") return kind === "int64" ? Number(BigInt.asIntN(64, raw)) : Number(raw);
  if (kind === "string") return raw.toString("utf8");
  if (kind === "hex") return raw.toString("hex");
  if (kind === "nanos") return raw.readBigUInt64LE();
  if (kind === "double") return raw.readDoubleLE();
  if (kind === "fixed32") return raw.readUInt32LE();
  return decode(raw, kind as Message);
}
