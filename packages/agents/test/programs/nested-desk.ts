/*
 * A desk whose triage hands over to nested chats; the second of them waits for an approval. Reads what to go on from on
 * its standard input (`{ state, answers }`, or nothing for a new chat), and writes what became of it as JSON.
 */
import { text } from "node:stream/consumers";
import type { ChatState, HumanInputAnswer } from "@weft/agents";
import { AssistantAgent, GroupChat, handoff, messageText, target, tool } from "@weft/agents";
import { captureTraces, scriptedModel } from "@weft/agents/testing";

interface GoOn {
  readonly state: ChatState;
  readonly answers: Readonly<Record<string, HumanInputAnswer>>;
}

using _ = captureTraces();
const asked: string[] = [];
const paid: number[] = [];

/** Answers by what it is asked, so that it needs no memory of its own. */
function agent(
  name: string,
  answer: (last: string) => Parameters<typeof scriptedModel>[0][number],
  options = {},
) {
  const step = ({ messages }: { readonly messages: readonly Parameters<typeof messageText>[0][] }) => {
    asked.push(name);
    return answer(messageText(messages.at(-1)!));
  };
  return new AssistantAgent({ name, model: scriptedModel([step, step, step] as never), ...options });
}

const pay = tool({
  name: "pay",
  description: "pays",
  parameters: { type: "object", properties: { amount: { type: "number" } } },
  needsApproval: true,
  execute: ({ amount }) => `paid ${paid.push(Number(amount))}`,
});
let clerkAsked = 0;
const clerk = agent(
  "clerk",
  () =>
    paid.length > 0 ? "It is paid." : { toolCalls: [{ name: "pay", arguments: { amount: ++clerkAsked } }] },
  { tools: [pay] },
);
const expert = agent("expert", () => "It costs 1.");
const editor = agent("editor", (last) => `In short: ${last.includes("It is paid.") ? "paid" : "nothing"}.`);
const nested = target.nested([
  { recipient: expert, message: "What does it cost?", maxTurns: 1 },
  { recipient: clerk, message: "Pay.", maxTurns: 1 },
  { recipient: editor, message: "Sum up.", maxTurns: 1 },
]);
const triage = agent(
  "triage",
  (last) =>
    last.startsWith("In short")
      ? `Done. ${last}`
      : { toolCalls: [{ name: "transfer_to_nested", arguments: {} }] },
  { handoffs: [handoff(nested, { prompt: "to buy" })] },
);
const desk = new GroupChat({ name: "desk", agents: [triage], speakerSelection: "handoffs", maxRound: 6 });

const given = await text(process.stdin);
const { state, answers } = given === "" ? ({} as Partial<GoOn>) : (JSON.parse(given) as GoOn);
const run = state ? desk.resume(state, { answers: answers ?? {} }) : desk.run("Buy it");
const { endedBy, text: said, history, pending, state: after, traceId } = await run.result;
const log = history.map(({ name, content }) => `${name}: ${messageText({ content })}`);
process.stdout.write(
  JSON.stringify({ endedBy, text: said, log, pending, state: after, traceId, asked, paid }),
);
