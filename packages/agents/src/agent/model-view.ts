/*
 * ModelView: what the model is sent of a conversation.
 *
 * Job: the live history as it is; or what hooks and handoffs leave of it, and the tool rounds of this turn.
 * Owns: the view of this turn, and for each history what is left of it without the plumbing of handoffs.
 *
 * I1  A turn costs what is new in its history, not what is old; only a turn with tool rounds copies a view that is not
 *     the history itself.
 * I2  A message that was rewritten is one message, with one id, in every later turn.
 */
import type { AgentMessage, History } from "@weft/runtime/agent";
import { isRecording, traceIdOf } from "@weft/tracing/internal";
import { scopeOf } from "../chat/scope.ts";
import { withoutPlumbing } from "../handoff/transfer-tools.ts";
import type { ReplyTurn } from "./reply-chain.ts";

export class ModelView {
  /** Index of the first message whose text the trace may not have yet. */
  freshFrom: number;
  #messages: readonly AgentMessage[];
  readonly #history: History;
  readonly #isHistory: boolean;

  constructor(turn: ReplyTurn, transferNames: ReadonlySet<string>) {
    const { history } = turn.context;
    const isOwn = turn.messages === history.messages;
    const usesHandoffs = scopeOf(turn.context)?.usesHandoffs === true;
    this.#history = history;
    this.#isHistory = isOwn && !usesHandoffs;
    if (!isOwn) {
      this.#messages = usesHandoffs ? withoutPlumbing(turn.messages, transferNames) : turn.messages;
      this.freshFrom = 0;
    } else if (usesHandoffs) {
      const { messages, knownUpTo } = readCleared(history, transferNames);
      this.#messages = messages;
      this.freshFrom = unrecordedFrom(history, knownUpTo);
    } else {
      this.#messages = turn.messages;
      this.freshFrom = unrecordedFrom(history, turn.request.newFrom);
    }
  }

  get messages(): readonly AgentMessage[] {
    return this.#messages;
  }

  /** A message of this turn's own tool rounds: the model sees it, whatever it calls. */
  append(message: AgentMessage): void {
    this.freshFrom = this.#messages.length;
    this.#history.append(message);
    if (!this.#isHistory) this.#messages = [...this.#messages, message];
  }

  /** `weft.context`: runs of the history, and by its id what does not stand in it. */
  runs(): readonly string[] {
    if (!isRecording()) return [];
    return this.#isHistory ? [this.#history.run()] : runsOf(this.#messages, this.#history);
  }
}

function runsOf(messages: readonly AgentMessage[], history: History): readonly string[] {
  const runs: string[] = [];
  let [from, next] = [0, 0];
  const close = (): void => {
    const run = history.run(from, next - 1);
    if (run !== "") runs.push(run);
  };
  for (const message of messages) {
    if (message !== history.messages[next]) {
      close();
      from = history.has(message.id) ? history.messages.indexOf(message, next) : -1;
      if (from < 0) {
        runs.push(`id:${message.id}`);
        from = next;
        continue;
      }
      next = from;
    }
    next++;
  }
  close();
  return runs;
}

interface Cleared {
  readonly transferNames: ReadonlySet<string>;
  readonly messages: AgentMessage[];
  /** Places of the history that were looked at. */
  upTo: number;
}

const cleared = new WeakMap<History, Cleared>();

/** A history without the plumbing of handoffs, and how much of that an earlier turn was given. */
function readCleared(history: History, transferNames: ReadonlySet<string>) {
  let view = cleared.get(history);
  if (view?.transferNames !== transferNames) {
    cleared.set(history, (view = { transferNames, messages: [], upTo: 0 }));
  }
  const knownUpTo = view.messages.length;
  view.messages.push(...withoutPlumbing(history.messages.slice(view.upTo), transferNames));
  view.upTo = history.length;
  return { messages: view.messages, knownUpTo };
}

/** The trace in which a history's texts were last recorded. */
const recordedIn = new WeakMap<History, string>();

/** A later trace of the same conversation (a later task, a resumed chat) has none of the earlier texts yet. */
function unrecordedFrom(history: History, newFrom: number): number {
  // Nothing is written, and nothing need be remembered.
  if (!isRecording()) return newFrom;
  const traceId = traceIdOf() ?? "";
  if (recordedIn.get(history) === traceId) return newFrom;
  recordedIn.set(history, traceId);
  return 0;
}
