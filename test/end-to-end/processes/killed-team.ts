/**
 * A served group chat that is to be killed: `killed-team <SQLite file> <effects>`. Each member's turn looks, acts and
 * reports. Every model call and tool run is a line in the effects file; each `act` waits to be killed the first time, and
 * says so on standard output. Says `{"url"}` when ready; ends with its input.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { ConversableAgent, GroupChat, tool } from "@weft/agents";
import type { ModelRequest } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";
import type { ScriptedReply } from "@weft/agents/testing";
import { serve, sqliteStore } from "@weft/runtime";

const [database = "", effects = ""] = process.argv.slice(2);
const before = existsSync(effects) ? readFileSync(effects, "utf8").split("\n") : [];

function note(line: string): void {
  appendFileSync(effects, `${line}\n`);
}

/** A model that answers by what it is shown, as one in another process would; a conversation of one length is asked once. */
function modelOf(name: string, answer: (request: ModelRequest) => ScriptedReply) {
  const reply = (request: ModelRequest): ScriptedReply => {
    note(`model ${name}/${request.messages.length}`);
    return answer(request);
  };
  return scriptedModel(Array.from({ length: 20 }, () => reply));
}

const look = tool({
  name: "look",
  description: "looks",
  execute: (_args, { idempotencyKey }) => {
    note(`look ${idempotencyKey}`);
    return "seen";
  },
});

const act = tool({
  name: "act",
  description: "acts",
  execute: async (_args, { idempotencyKey }) => {
    const line = `act ${idempotencyKey}`;
    note(line);
    if (before.includes(line)) return "acted";
    process.stdout.write("held\n");
    return new Promise<string>(() => undefined);
  },
});

/** Looks, then acts, then reports; which of them is told by what the turn has so far. */
function member(name: string): ConversableAgent {
  const model = modelOf(name, ({ messages }) => {
    const done = messages.at(-1)!.toolResponses?.at(-1)?.name;
    const id = `${name}-${messages.length}`;
    if (done === "act") return `${name} acted after ${messages.length}.`;
    return { toolCalls: [{ id, name: done === "look" ? "act" : "look", arguments: {} }] };
  });
  return new ConversableAgent({
    name,
    description: name,
    model,
    tools: [look, act],
    humanInputMode: "NEVER",
  });
}

const selectorModel = modelOf("selector", ({ messages }) => {
  const turns = messages.filter(({ content }) => JSON.stringify(content).includes("acted after")).length;
  return turns % 2 === 0 ? "ann" : "bob";
});
const agents = [member("ann"), member("bob")];
const team = new GroupChat({ name: "team", agents, selectorModel, allowRepeatSpeaker: true, maxRound: 4 });

await using service = await serve(team, { store: sqliteStore(database), limits: { leaseMs: 2_000 } });
process.stdout.write(`${JSON.stringify({ url: service.url })}\n`);
for await (const _ of process.stdin);
