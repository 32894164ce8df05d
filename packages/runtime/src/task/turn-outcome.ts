import { Role, TaskState } from "@a2a-js/sdk";
import type { Message, Task } from "@a2a-js/sdk";
import type { WeftError } from "@weft/tracing";
import { traceIdOf } from "@weft/tracing/internal";
import type { AgentEvent, InputRequest } from "../agent/event.ts";
import type { AgentMessage } from "../agent/message.ts";
import { withHop } from "../a2a/hop.ts";
import type { HopMetadata } from "../a2a/hop.ts";
import { textPart, toParts } from "../a2a/message-mapping.ts";
import { eventsExtensionUri, hopExtensionUri } from "../a2a/uris.ts";
import { UsageSum } from "../a2a/usage-metadata.ts";
import { publicMessage } from "../a2a/wire-errors.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import { checkJson } from "./check-json.ts";

type Metadata = Record<string, unknown> | undefined;

/** The task that an outcome is of. */
interface Named {
  readonly id: string;
  readonly contextId: string;
}

/** What is known of a turn besides its message. */
export class TurnReport {
  readonly #usage = new UsageSum();
  #inputRequest: InputRequest | undefined;

  /** What the agent waits for; it counts only where the turn ends without a message. */
  get inputRequest(): InputRequest | undefined {
    return this.#inputRequest;
  }

  /** What the turn used; undefined when it was nothing. */
  get usage(): HopMetadata["usage"] {
    return this.#usage.total;
  }

  /** @throws WeftError `invalid_argument` for a question that no binding and no store can carry: it is not JSON */
  note(event: AgentEvent): void {
    if (event.type === "usage") this.#usage.add(event);
    if (event.type !== "input-required") return;
    checkJson(event, "An event of type input-required");
    this.#inputRequest = requestOf(event);
  }
}

/** How a turn ended, as the state of its task. */
export interface TurnOutcome {
  readonly state: TaskState;
  readonly message?: Message;
  readonly metadata: Metadata;
}

/** Of a turn that the agent ended; `request`: with a question. */
export function outcomeOf(
  task: Named,
  { request, metadata }: { readonly request: InputRequest | undefined; readonly metadata: Metadata },
): TurnOutcome {
  if (!request) return { state: TaskState.TASK_STATE_COMPLETED, metadata };
  const message = questionMessage(request, task);
  return { state: TaskState.TASK_STATE_INPUT_REQUIRED, message, metadata };
}

/** Of a turn that failed; `isStopped`: from without, by a cancel or a shutdown. */
export function failureOf(
  task: Named,
  turn: PendingTurn,
  failed: { readonly usage: HopMetadata["usage"]; readonly error: WeftError; readonly isStopped: boolean },
): TurnOutcome {
  const { usage, error, isStopped } = failed;
  if (error.code === "aborted" && isStopped) {
    return { state: TaskState.TASK_STATE_CANCELED, metadata: replyMetadata(turn, { usage }) };
  }
  const text = publicMessage(error);
  const metadata = replyMetadata(turn, { usage, error: { code: error.code, message: text } });
  const message = agentMessage(task, crypto.randomUUID(), text);
  // An agent without a login somewhere waits for its caller to see to it; the next message tries again.
  const isLogin = error.code === "unauthenticated" && !isStopped;
  const state = isLogin ? TaskState.TASK_STATE_AUTH_REQUIRED : TaskState.TASK_STATE_FAILED;
  return { state, message, metadata };
}

/** What a turn's end says on the wire. */
export function replyMetadata(
  turn: Pick<PendingTurn, "parent">,
  said: Pick<HopMetadata, "variables" | "error"> & { readonly usage: HopMetadata["usage"] },
): Metadata {
  const { usage, variables, error } = said;
  const traceId = traceIdOf(turn.parent);
  const hop: HopMetadata = {
    ...(traceId === undefined ? {} : { traceId }),
    ...(usage === undefined ? {} : { usage }),
    ...(variables && Object.keys(variables).length > 0 ? { variables } : {}),
    ...(error === undefined ? {} : { error }),
  };
  return Object.keys(hop).length === 0 ? undefined : withHop(undefined, hop);
}

/** The agent's message as the whole answer; `metadata`: the turn's. */
export function replyMessage(reply: AgentMessage, contextId: string, metadata: Metadata): Message {
  const { id, content, toolCalls, toolResponses } = reply;
  const called = {
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(toolResponses === undefined ? {} : { toolResponses }),
  };
  return wholeAnswer({ id, contextId, parts: toParts(content), own: reply.metadata, called, metadata });
}

/** A task that is over with one message, as that message: the same that {@link replyMessage} makes of the turn. */
export function messageOf({ status, artifacts, contextId, metadata }: Task): Message | undefined {
  const [artifact] = artifacts;
  if (!artifact || artifacts.length > 1 || status?.state !== TaskState.TASK_STATE_COMPLETED) return undefined;
  const { [hopExtensionUri]: about, ...own } = artifact.metadata ?? {};
  const { id, name: _, ...called } = (about ?? {}) as Partial<AgentMessage>;
  // Text that was taken back, and no message after it.
  if (id === undefined) return undefined;
  return wholeAnswer({ id, contextId, parts: artifact.parts, own, called, metadata });
}

interface WholeAnswer {
  readonly id: string;
  readonly contextId: string;
  readonly parts: Message["parts"];
  /** The agent's own metadata. */
  readonly own: Metadata;
  /** Of its tools, if it says so. */
  readonly called: Partial<AgentMessage>;
  /** The turn's. */
  readonly metadata: Metadata;
}

function wholeAnswer({ id, contextId, parts, own, called, metadata }: WholeAnswer): Message {
  const said = hasMembers(called) ? withHop(metadata, called as object) : metadata;
  return {
    messageId: id,
    contextId,
    taskId: "",
    role: Role.ROLE_AGENT,
    parts,
    metadata: hasMembers(own) ? { ...own, ...said } : said,
    extensions: said ? [hopExtensionUri] : [],
    referenceTaskIds: [],
  };
}

function hasMembers(value: object | undefined): value is object {
  return value !== undefined && Object.keys(value).length > 0;
}

/** The question of an agent that waits for a human, as the status message of its task. */
function questionMessage(request: InputRequest, task: Named): Message {
  const metadata = { [eventsExtensionUri]: { type: "input-required", ...request } };
  return { ...agentMessage(task, request.id, request.prompt), metadata };
}

function agentMessage({ id, contextId }: Named, messageId: string, text: string): Message {
  return {
    taskId: id,
    contextId,
    messageId,
    role: Role.ROLE_AGENT,
    parts: [textPart(text)],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
}

function requestOf(event: Extract<AgentEvent, { type: "input-required" }>): InputRequest {
  const { id, kind, agent, prompt, toolCall, candidates } = event;
  return {
    id,
    kind,
    agent,
    prompt,
    ...(toolCall === undefined ? {} : { toolCall }),
    ...(candidates === undefined ? {} : { candidates }),
  };
}
