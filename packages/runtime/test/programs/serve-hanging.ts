/** Serves an agent that says one word and then waits: for ever, or until its standard input says "go". */
import { defineAgent, serve } from "@weft/runtime";

const go = Promise.withResolvers<void>();
process.stdin.on("data", () => go.resolve());
process.stdin.unref?.();

const agent = defineAgent({
  name: "waits",
  async *respond() {
    yield "one ";
    await go.promise;
    yield "two";
  },
});
const service = await serve(agent, { bindings: ["jsonrpc", "rest", "ws", "grpc"] });
process.stdout.write(`${service.url}\n`);
