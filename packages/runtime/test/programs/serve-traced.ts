/** Serves an echo, traced to an OTLP endpoint, in a process that a timer holds: `serve-traced <endpoint>`. */
import { serve } from "@weft/runtime";
import { defineAgent, messageText } from "@weft/runtime/agent";
import { startTracing } from "@weft/tracing/node";

setInterval(() => undefined, 60_000);
startTracing({ serviceName: "echo", endpoint: process.argv[2]! });
const agent = defineAgent({
  name: "echo",
  async *respond({ messages }) {
    yield messageText(messages.at(-1)!);
  },
});
const service = await serve(agent);
process.stdout.write(`${service.url}\n`);
