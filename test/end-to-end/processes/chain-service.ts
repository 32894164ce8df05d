/**
 * One link of the chain: `chain-service <name> <binding> <next url or "-"> <next binding> <kind>`. Asks the next link
 * and puts its own name in front of the answer. `kind`: "plain" sends and waits, "stream" reads the answer as it
 * comes, "group" is a group chat with the next link as a member. Says `{"url"}` when ready, ends with its input.
 */
import { defineAgent, GroupChat, remoteAgent } from "@weft/agents";
import { connect, serve, type Binding } from "@weft/runtime";
import { messageText, type Agent } from "@weft/runtime/agent";
import { startTracing } from "@weft/tracing/node";

const [name = "", binding = "", next = "-", nextBinding = "", kind = "plain"] = process.argv.slice(2);

async function plain(): Promise<Agent> {
  const remote = next === "-" ? undefined : await connect(next, { binding: nextBinding as Binding });
  return defineAgent({
    name,
    description: `Link ${name}, asks and waits.`,
    async *respond({ messages }, { signal }) {
      const text = messageText(messages.at(-1)!);
      yield remote === undefined ? `${name}(${text})` : `${name}(${await remote.ask(text, { signal })})`;
    },
  });
}

async function streaming(): Promise<Agent> {
  const remote =
    next === "-" ? undefined : await remoteAgent(next, { name: "next", binding: nextBinding as Binding });
  return defineAgent({
    name,
    description: `Link ${name}, reads the answer as it comes.`,
    async *respond(request, context) {
      yield `${name}(`;
      if (remote === undefined) {
        for (const word of messageText(request.messages.at(-1)!).match(/\S+\s*/g) ?? []) yield word;
      } else {
        for await (const event of remote.respond(request, context)) {
          // What is said inside the group that answers comes with its path; the answer itself has none.
          const isOwn = typeof event === "object" && !("path" in event);
          if (isOwn && "type" in event && event.type === "text-delta") yield event.text;
        }
      }
      yield ")";
    },
  });
}

async function group(): Promise<Agent> {
  const clerk = defineAgent({
    name: "clerk",
    description: "Passes the question on.",
    async *respond({ messages }) {
      yield messageText(messages[0]!);
    },
  });
  const remote = await remoteAgent(next, { name: "next", binding: nextBinding as Binding });
  return new GroupChat({ name, agents: [clerk, remote], speakerSelection: "roundRobin", maxRound: 3 });
}

const makers = { plain, stream: streaming, group };
await using _tracing = startTracing({ serviceName: name });
const agent = await makers[kind as keyof typeof makers]();
await using service = await serve(agent, { port: 0, bindings: [binding as Binding] });
process.stdout.write(`${JSON.stringify({ url: service.url })}\n`);
await new Promise((resolve) => process.stdin.once("end", resolve).resume());
