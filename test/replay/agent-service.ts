/**
 * One recorded agent in a process of its own: `agent-service <recording file> <agent>`. Says `{"url"}` when it is
 * ready and ends with its input.
 */
import { serve } from "@weft/runtime";
import { startTracing } from "@weft/tracing/node";

import { readRecording } from "../support/conversations.ts";
import { recordedAgent } from "../support/recorded-agent.ts";

const [file = "", name = ""] = process.argv.slice(2);
await using _tracing = startTracing({ serviceName: name });
await using service = await serve(recordedAgent(name, readRecording(file)), {
  port: 0,
  bindings: ["jsonrpc"],
});
process.stdout.write(`${JSON.stringify({ url: service.url })}\n`);
await new Promise((resolve) => process.stdin.once("end", resolve).resume());
