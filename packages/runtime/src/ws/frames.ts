import { Packr } from "msgpackr";
import { WeftError } from "@weft/tracing";
import { checkDepth, depthAtMost } from "../a2a/check-depth.ts";
import { isRecord } from "../agent/message.ts";
import { checkMsgpack } from "./check-msgpack.ts";

/** The WebSocket subprotocol of Weft's binding. */
export const wsSubprotocol = "weft-a2a-v1";

/** The frames of docs/bindings/websocket-msgpack.md. `parameters` are service parameters, lower-case names. */
export type ClientFrame =
  | {
      readonly type: "request";
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
      readonly parameters: Readonly<Record<string, string>>;
      /** Bytes of event frames that may be under way. Absent: as many as the connection takes. */
      readonly credit?: number;
    }
  /** Adds to a stream's credit. */
  | { readonly type: "credit"; readonly id: number; readonly credit: number }
  /** The client reads no further. The task goes on. */
  | { readonly type: "cancel"; readonly id: number };

/** What a server sends. Bodies are ProtoJSON (`raw` as binary in msgpack), errors are JSON-RPC error objects. */
export type ServerFrame =
  | {
      readonly type: "response";
      readonly id: number;
      readonly result: unknown;
      readonly parameters: Readonly<Record<string, string>>;
    }
  | {
      readonly type: "event";
      readonly id: number;
      readonly seq: number;
      readonly result: unknown;
      /** The event's number within its task: a later SubscribeToTask may go on after it. */
      readonly number?: string;
      /** With the first event. */
      readonly parameters?: Readonly<Record<string, string>>;
    }
  | { readonly type: "end"; readonly id: number; readonly seq: number }
  | {
      readonly type: "error";
      /** null: the frame at fault could not be read as far as its id. */
      readonly id: number | null;
      readonly error: unknown;
      readonly parameters?: Readonly<Record<string, string>>;
    }
  /** No new requests on this connection; those that run are answered. */
  | { readonly type: "go-away"; readonly reason: string };

/** Plain maps only: no shared structures, no classes, integers as numbers. */
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number" });

export function encodeFrame(frame: ClientFrame | ServerFrame, isBinary = true): Buffer | string {
  return isBinary ? packr.pack(frame) : JSON.stringify(frame);
}

/** As deep as the decoder may recurse. What a request may have is less, and fails only itself. */
const maxDecodedDepth = 1_000;

export interface DecodedFrame {
  readonly frame: Record<string, unknown>;
  /** How deep it is nested, at most. */
  readonly depth: number;
}

/**
 * Reads a frame: msgpack when binary, JSON when text.
 *
 * @throws WeftError `protocol_error`
 */
export function decodeFrame(data: Buffer, isBinary: boolean): DecodedFrame {
  const { value, depth } = isBinary ? unpack(data) : parse(data);
  if (!isRecord(value) || typeof value["type"] !== "string") {
    throw new WeftError("protocol_error", "A frame is not a map with a type.");
  }
  return { frame: value, depth };
}

function unpack(data: Buffer): { value: unknown; depth: number } {
  const depth = checkMsgpack(data, maxDecodedDepth);
  try {
    return { value: packr.unpack(data), depth };
  } catch (error) {
    throw new WeftError("protocol_error", "A binary frame is not msgpack.", { cause: error });
  }
}

function parse(data: Buffer): { value: unknown; depth: number } {
  const text = data.toString("utf8");
  try {
    return { value: JSON.parse(text) as unknown, depth: depthAtMost(text) };
  } catch (error) {
    throw new WeftError("protocol_error", "A text frame is not JSON.", { cause: error });
  }
}

/** The id of a frame, as far as it has one. */
export function idOfFrame(frame: Record<string, unknown>): number | undefined {
  const { id } = frame;
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id : undefined;
}

/**
 * Reads what a client sent.
 *
 * @throws WeftError `protocol_error` for a frame without meaning, `limit_exceeded` for `params` over `depth` or
 *   parameters over `headerBytes`
 */
export function parseClientFrame(
  { frame, depth }: DecodedFrame,
  limits: { readonly headerBytes: number; readonly depth: number },
): ClientFrame {
  const { type, method, params, parameters } = frame;
  const id = idOfFrame(frame);
  if (id === undefined) throw new WeftError("protocol_error", "A frame's id is not an integer from 0.");
  if (type === "cancel") return { type, id };
  if (type === "credit") return { type, id, credit: parseCredit(frame["credit"]) };
  if (type !== "request") throw new WeftError("protocol_error", "A frame has an unknown type.");
  if (depth > limits.depth) checkDepth(params, limits.depth);
  if (typeof method !== "string") throw new WeftError("protocol_error", "A request has no method.");
  return {
    type,
    id,
    method,
    params: params ?? {},
    parameters: parseParameters(parameters, limits.headerBytes),
    ...(frame["credit"] === undefined ? {} : { credit: parseCredit(frame["credit"]) }),
  };
}

function parseCredit(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new WeftError("protocol_error", "A frame's credit is not a positive integer.");
}

function parseParameters(value: unknown, maxBytes: number): Record<string, string> {
  const parameters: Record<string, string> = {};
  if (value === undefined) return parameters;
  if (!isRecord(value)) throw new WeftError("protocol_error", "A request's parameters are not a map.");
  let bytes = 0;
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string")
      throw new WeftError("protocol_error", "A service parameter is not a string.");
    bytes += name.length + text.length;
    if (bytes > maxBytes) {
      throw new WeftError(
        "limit_exceeded",
        `The parameters exceed the limit headerBytes of ${maxBytes} bytes.`,
      );
    }
    parameters[name.toLowerCase()] = text;
  }
  return parameters;
}
