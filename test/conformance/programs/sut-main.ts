/** Serves the kit's agent until Ctrl-C: JSON-RPC and REST on one port, gRPC on the next. */
import process from "node:process";
import { serve } from "@weft/runtime";
import { createKitAgent, respondWith } from "../kit-agent.ts";

const port = Number(process.argv[2] ?? 9_999);
const service = await serve(createKitAgent(), {
  port,
  respondWith,
  grpcPort: port === 0 ? 0 : port + 1,
  bindings: ["jsonrpc", "rest", "grpc"],
  // The kit reads the card by a schema that knows 1.0 alone, and listens for notifications on this machine.
  legacy: false,
  push: { urls: { allowPrivate: true } },
  card: {
    inputModes: ["text/plain", "application/json"],
    provider: { organization: "Weft", url: "https://example.com" },
  },
});
process.stdout.write(`${service.url}\n`);
