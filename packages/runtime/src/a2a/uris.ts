/** Weft's custom binding: the operations of A2A 1.0 as msgpack frames over one WebSocket. */
export const wsBindingUri = "urn:weft:a2a:ws-msgpack:1";
/** Extension: what crosses a hop (trace context when headers are stripped, conversation, budget, usage). */
export const hopExtensionUri = "urn:weft:a2a:hop:1";
/** Extension: the agent's events besides its text (tool calls, nested chats, usage), as status metadata. */
export const eventsExtensionUri = "urn:weft:a2a:events:1";

/** Response header (gRPC: initial metadata; ws: response parameter) with the trace id of the reply. */
export const traceIdHeader = "x-weft-trace-id";

/** The version of A2A before 1.0, which requests without a version are of. */
export const legacyVersion = "0.3";

export const bindings = ["jsonrpc", "rest", "ws", "grpc"] as const;
export type Binding = (typeof bindings)[number];

/** What a card calls each binding. */
export const protocolBindings = {
  jsonrpc: "JSONRPC",
  rest: "HTTP+JSON",
  ws: wsBindingUri,
  grpc: "GRPC",
} as const satisfies Record<Binding, string>;
