/*
 * A chat of two (SEMANTICS C1): the starter's message, then each in turn.
 */
import type { Agent, AgentMessage, EndedBy, MessageInput } from "@weft/runtime/agent";
import { createMessage, messageText, projectMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { recordSummary } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { HumanInput, HumanInputMode } from "../agent/human-answer.ts";
import { askHuman, createInputRequest, toText } from "../agent/human-input.ts";
import type { Target } from "../handoff/target.ts";
import { isSpecialTarget, memberOf } from "../handoff/target.ts";
import type { ChatState } from "./chat-state.ts";
import { readOutput } from "./read-output.ts";
import type { CarryoverItem } from "./carryover.ts";
import { withCarryover } from "./carryover.ts";
import { ChatRoom } from "./chat-room.ts";
import type { HostedChat } from "./host.ts";
import { isChatHost, hostChat } from "./host.ts";
import { lastLog, rememberChat } from "./last-chats.ts";
import { openingContext } from "./opening-context.ts";
import type { ResumedRun, RunDriver, RunOptions, RunSetting } from "./run-driver.ts";
import { Run } from "./run.ts";
import type { SummaryOptions } from "./summary.ts";
import { checkSummaryMethod, summarize } from "./summary.ts";

/** A message made when the chat starts. */
export type OpeningFunction = (
  sender: Agent,
  recipient: Agent,
  context: Readonly<Record<string, unknown>>,
) => MessageInput | Promise<MessageInput>;

export interface TwoAgentOptions extends SummaryOptions {
  readonly recipient: Agent;
  /** Absent: the starter's human is asked. */
  readonly message?: MessageInput | OpeningFunction | undefined;
  /** Round trips: 2 messages each. Default: no limit but `maxConsecutiveAutoReply`. */
  readonly maxTurns?: number;
  /** `false`: goes on from the last ended chat of the two. Default true. */
  readonly clearHistory?: boolean;
  /** Put behind the message as context. */
  readonly carryover?: CarryoverItem | readonly CarryoverItem[];
}

/** Raises `invalid_argument` before anything starts. */
export function startTwoAgentChat(
  starter: Agent,
  recipient: Agent,
  options: TwoAgentOptions & RunOptions,
  { state, answers }: ResumedRun = {},
): Run {
  const { maxTurns } = options;
  checkRecipient(recipient);
  if (starter === recipient || starter.name === recipient.name) {
    throw new WeftError(
      "invalid_argument",
      `A chat needs two agents of different names, not "${starter.name}" twice.`,
    );
  }
  if (maxTurns !== undefined && !(Number.isInteger(maxTurns) && maxTurns > 0)) {
    throw new WeftError(
      "invalid_argument",
      `maxTurns must be a whole number, 1 or more, not ${String(maxTurns)}.`,
    );
  }
  warnOfEndless(starter, recipient, maxTurns);
  return new Run(twoAgentDriver(starter, recipient, options, { state }), options, { state, answers });
}

/** Raises `invalid_argument` for what is no agent. */
export function checkRecipient(recipient: Agent | undefined): void {
  if (typeof recipient?.respond === "function") return;
  throw new WeftError("invalid_argument", "A chat's recipient must be an agent.");
}

/** Where a chat of two begins when it is not new. */
export interface TwoAgentStart {
  readonly state?: Pick<ChatState, "room" | "chat"> | undefined;
  /** What was said before, of a chat that goes on from its messages. */
  readonly earlier?: readonly AgentMessage[];
}

export function twoAgentDriver(
  starter: Agent,
  recipient: Agent,
  options: TwoAgentOptions,
  { state, earlier: given }: TwoAgentStart = {},
): RunDriver {
  const method = checkSummaryMethod(options.summaryMethod, starter, recipient);
  let room = new ChatRoom(state?.room);
  let hosted: HostedChat | undefined;
  const progress = { turn: Number(state?.chat["turn"] ?? 1) };
  const earlier = given ?? (options.clearHistory === false ? lastLog(starter, recipient) : []);
  const history = (): readonly AgentMessage[] =>
    room.log.messages.map((message) => projectMessage(message, starter.name));
  return {
    kind: "twoAgent",
    from: starter.name,
    span: spanOf(starter, recipient, options),
    async steps(setting) {
      const needsOpening = !state && (options.message !== undefined || earlier.length === 0);
      const said = needsOpening ? [await openingMessage(starter, recipient, options, setting)] : [];
      if (isChatHost(recipient)) {
        hosted = recipient[hostChat]([...earlier, ...said], setting, state?.chat["hosted"]);
        room = hosted.room;
        return hosted.steps();
      }
      room.restore(earlier, setting.span);
      for (const message of said) room.add(message, setting.span);
      // Who spoke last is answered; a chat that goes on from its messages may be at either side.
      if (earlier.length > 0 && room.log.messages.at(-1)?.name === recipient.name) progress.turn = 2;
      return takeTurns(room, starter, recipient, options, setting, progress);
    },
    toState: () => ({
      room: hosted ? new ChatRoom().toState() : room.toState(),
      chat: {
        recipient: recipient.name,
        turn: progress.turn,
        ...(hosted ? { hosted: hosted.toState() } : {}),
      },
    }),
    output: () => readOutput(room.log.messages, isChatHost(recipient) ? [starter] : [starter, recipient]),
    history,
    async summarize({ signal, span, meter }, usage) {
      rememberChat(starter, recipient, room);
      const { summaryPrompt: prompt } = options;
      const parties = { starter, recipient, history: history() };
      const summary = await summarize({ method, prompt, ...parties, signal, usage, meter });
      if (summary) recordSummary(span, summary, saidBefore(room, summary));
      return summary;
    },
  };
}

/** The message whose text the summary is, as most are. */
function saidBefore({ log }: ChatRoom, summary: string): string | undefined {
  return log.messages.findLast((message) => messageText(message) === summary)?.id;
}

function spanOf(starter: Agent, recipient: Agent, { maxTurns }: TwoAgentOptions): RunDriver["span"] {
  return {
    name: `${Operations.conversation} ${starter.name}`,
    type: SpanTypes.conversation,
    attributes: {
      [Attr.operationName]: Operations.conversation,
      [Attr.chatStarter]: starter.name,
      [Attr.chatParticipants]: [starter.name, recipient.name],
      ...(maxTurns === undefined ? {} : { [Attr.chatMaxTurns]: maxTurns }),
    },
  };
}

async function takeTurns(
  room: ChatRoom,
  starter: Agent,
  recipient: Agent,
  { maxTurns = Infinity }: TwoAgentOptions,
  setting: RunSetting,
  progress: { turn: number },
): Promise<EndedBy> {
  for (; progress.turn < maxTurns * 2; progress.turn++) {
    const { turn } = progress;
    const [speaker, sender] = turn % 2 === 1 ? [recipient, starter] : [starter, recipient];
    let target: Target | undefined;
    const onTarget = (to: Target): void => void (target = to);
    const { onHumanAnswer, asker, meter } = setting;
    const scope = { sender, onHumanAnswer, asker, meter, onTarget };
    setting.span.setAttribute(Attr.chatTurns, turn);
    const { message, endedBy } = await room.turn(speaker, { ...setting, turn, path: [], scope });
    if (!message) return endedBy ?? "noReply";
    if (target !== undefined && endsHere(target, [starter, recipient])) return "termination";
  }
  return "maxTurns";
}

/** Two agents answer each other anyway: of all targets only the end makes a difference. */
function endsHere(target: Target, agents: readonly Agent[]): boolean {
  if (isSpecialTarget(target)) return target.kind === "terminate";
  memberOf(target, agents, "A tool's result");
  return false;
}

async function openingMessage(
  starter: Agent,
  recipient: Agent,
  options: TwoAgentOptions,
  setting: RunSetting,
): Promise<AgentMessage> {
  const { message, carryover = [] } = options;
  // One empty text is nothing to carry over, as in AG2; in a list it is an item like any other.
  const given = carryover === "" ? [] : carryover;
  const items = Array.isArray(given) ? (given as readonly CarryoverItem[]) : [given as CarryoverItem];
  const { contextVariables } = setting;
  const said =
    message === undefined
      ? await askForOpening(starter, recipient, setting)
      : typeof message === "function"
        ? await message(starter, recipient, { ...contextVariables, carryover: items })
        : message;
  const full = withCarryover(said, items);
  return createMessage({
    ...(typeof full === "string" ? { content: full } : full),
    role: "assistant",
    name: starter.name,
  });
}

async function askForOpening(starter: Agent, recipient: Agent, setting: RunSetting): Promise<string> {
  const { humanInput } = starter as { readonly humanInput?: HumanInput };
  if (!humanInput) {
    throw new WeftError(
      "invalid_argument",
      `A chat of "${starter.name}" needs a message, or a humanInput that can be asked for one.`,
    );
  }
  const prompt = `Your message to ${recipient.name}?`;
  const request = createInputRequest({ kind: "reply", agent: starter.name, prompt });
  const context = openingContext(starter, setting);
  // Who has a `humanInput` is asked by it: there is no event.
  const emit = (): void => undefined;
  const answered = await askHuman({ request, humanInput, context, asker: undefined, emit });
  return toText(typeof answered === "object" ? answered.answer : "");
}

let hasWarned = false;

/** Two agents that answer each other by themselves stop only at their counters: 100 replies each (SEMANTICS T3). */
function warnOfEndless(starter: Agent, recipient: Agent, maxTurns: number | undefined): void {
  if (hasWarned || maxTurns !== undefined || !isAutomatic(starter) || !isAutomatic(recipient)) return;
  hasWarned = true;
  process.emitWarning(
    `The chat of "${starter.name}" and "${recipient.name}" has no maxTurns and no human: it ends at a termination ` +
      "message or after maxConsecutiveAutoReply replies.",
    { code: "WEFT_NO_MAX_TURNS" },
  );
}

function isAutomatic(agent: Agent): boolean {
  const { humanInputMode, humanInput } = agent as {
    humanInputMode?: HumanInputMode;
    humanInput?: HumanInput;
  };
  if (humanInputMode === undefined) return false;
  return humanInputMode === "NEVER" || (humanInputMode === "TERMINATE" && !humanInput);
}
