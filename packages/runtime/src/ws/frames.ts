import { Packr } from "msgpackr";
import { WeftError } from "@weft/tracing";
import { isRecord } from "../agent/message.ts";

/** The WebSocket subprotocol of Weft's binding. */
export const wsSubprotocol = "weft-a2a-v1";

/** What a client sends. `parameters` are the call's service parameters (as HTTP headers are), lower-case names. */
export type ClientFrame =
  | {
      readonly type: "request";
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
      readonly parameters: Readonly<Record<string, string>>;
    }
  /** The client reads no further. The task goes on. */
  | { readonly type: "cancel"; readonly id: number };

/** What a server sends. Bodies are ProtoJSON, errors are JSON-RPC error objects. */
export type ServerFrame =
  | {
      readonly type: "response";
      readonly id: number;
      readonly result: unknown;
      readonly parameters: Readonly<Record<string, string>>;
    }
  | { readonly type: "event"; readonly id: number; readonly seq: number; readonly result: unknown }
  | { readonly type: "end"; readonly id: number; readonly seq: number }
  | { readonly type: "error"; readonly id: number; readonly error: unknown }
  /** No new requests on this connection; those that run are answered. */
  | { readonly type: "go-away" };

/** Plain maps only: no shared structures, no classes, integers as numbers. */
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number" });

export function encodeFrame(frame: ClientFrame | ServerFrame): Buffer {
  return packr.pack(frame);
}

/**
 * Reads a frame: msgpack when binary, JSON when text.
 *
 * @throws WeftError `protocol_error`
 */
export function decodeFrame(data: Buffer, isBinary: boolean): Record<string, unknown> {
  let value: unknown;
  try {
    value = isBinary ? packr.unpack(data) : JSON.parse(data.toString("utf8"));
  } catch (error) {
    throw new WeftError("protocol_error", "A frame is neither msgpack nor JSON.", { cause: error });
  }
  if (!isRecord(value) || typeof value["type"] !== "string") {
    throw new WeftError("protocol_error", "A frame is not a map with a type.");
  }
  return value;
}

/**
 * Reads what a client sent.
 *
 * @throws WeftError `protocol_error`
 */
export function parseClientFrame(frame: Record<string, unknown>): ClientFrame {
  const { type, id, method, params, parameters } = frame;
  if (typeof id !== "number" || !Number.isSafeInteger(id)) {
    throw new WeftError("protocol_error", "A frame's id is not an integer.");
  }
  if (type === "cancel") return { type, id };
  if (type !== "request" || typeof method !== "string") {
    throw new WeftError("protocol_error", "A frame is neither a request with a method nor a cancel.");
  }
  return { type, id, method, params: params ?? {}, parameters: parseParameters(parameters) };
}

function parseParameters(value: unknown): Record<string, string> {
  const parameters: Record<string, string> = {};
  if (!isRecord(value)) return parameters;
  for (const [name, text] of Object.entries(value)) {
    if (typeof text === "string") parameters[name.toLowerCase()] = text;
  }
  return parameters;
}
