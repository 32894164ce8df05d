/*
 * Asking a human (SEMANTICS T2, O5): the agent's own `humanInput`; else the run's reader; else, under `serve`, the
 * caller; else nobody.
 */
import { randomUUID } from "node:crypto";
import type { AgentContext, AgentEventBody, Emit, InputRequest } from "@weft/runtime/agent";
import { abortable } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { OpenSpan, WeftSpan } from "@weft/tracing/internal";
import { activeContext, openSpan, recordText } from "@weft/tracing/internal";
import { Attr, Operations, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import { trace } from "@opentelemetry/api";
import type { Answered, Asker } from "../chat/scope.ts";
import { scopeOf } from "../chat/scope.ts";
import type { HumanInput, HumanInputAnswer } from "./human-answer.ts";
import { changeSession, readSession } from "./agent-session.ts";

/** A question as an event. */
export type QuestionEvent = Extract<AgentEventBody, { readonly type: "input-required" }>;

export interface HumanQuestion {
  readonly request: InputRequest;
  readonly humanInput: HumanInput | undefined;
  readonly context: AgentContext;
  /** Whom to ask when there is no `humanInput`; undefined: the caller of a service, by suspending. */
  readonly asker: Asker | undefined;
  /** Takes the question, when no `humanInput` is asked. */
  readonly emit: Emit<QuestionEvent>;
}

export function createInputRequest(request: Omit<InputRequest, "id">): InputRequest {
  return { id: randomUUID(), ...request };
}

/** The same question that was put before and not answered, else a new one. */
export function requestOnce(context: AgentContext, wanted: Omit<InputRequest, "id">): InputRequest {
  const before = readSession(context).pending?.find(
    ({ request }) => request.kind === wanted.kind && request.toolCall?.id === wanted.toolCall?.id,
  );
  return before?.request ?? createInputRequest(wanted);
}

/** Puts a question. What stays open stands in the session under `pending`, to be taken up by a later turn. */
export async function askHuman(question: HumanQuestion): Promise<Answered> {
  const { request, humanInput, context, asker, emit } = question;
  const known = asker?.known(request.id);
  if (known !== undefined) {
    describeAnswer(context, request, known);
    return note(question, { answer: known });
  }
  const opened = openSpan(definitionOf(request));
  try {
    recordText(opened.span, Attr.humanPrompt, request.prompt);
    const startedAt = performance.now();
    if (!humanInput) await emit({ type: "input-required", ...request });
    const answered = await wait(question, opened);
    opened.span.setAttribute(Attr.humanWaitMs, Math.round(performance.now() - startedAt));
    if (typeof answered === "object")
      recordText(opened.span, Attr.humanResponse, answerText(answered.answer));
    opened.end(typeof answered === "object" ? undefined : Outcomes.suspended);
    return note(question, answered);
  } catch (error) {
    if (context.signal.aborted) opened.end(Outcomes.cancelled);
    opened.fail(error);
    throw error;
  }
}

function wait({ request, humanInput, context, asker }: HumanQuestion, opened: OpenSpan): Promise<Answered> {
  const { signal } = context;
  if (humanInput) {
    const ask = async (): Promise<Answered> => ({ answer: await humanInput(request, { signal }) });
    return abortable(signal, opened.run(ask));
  }
  return asker ? abortable(signal, asker.answerTo(request)) : Promise.resolve("suspend");
}

function definitionOf(request: InputRequest) {
  return {
    name: `${Operations.awaitHumanInput} ${request.agent}`,
    type: SpanTypes.humanInput,
    attributes: {
      [Attr.operationName]: Operations.awaitHumanInput,
      [Attr.agentName]: request.agent,
      [Attr.humanKind]: request.kind,
    },
  };
}

function note({ request, context }: HumanQuestion, answered: Answered): Answered {
  const { pending = [] } = readSession(context);
  const others = pending.filter((each) => each.request.id !== request.id);
  if (typeof answered === "object") {
    const { agent, prompt } = request;
    scopeOf(context)?.onHumanAnswer?.({ agent, prompt, answer: answerText(answered.answer) });
    if (others.length < pending.length)
      changeSession(context, { pending: others.length ? others : undefined });
  } else if (others.length === pending.length) {
    changeSession(context, { pending: [...pending, { request, askedAt: Date.now() }] });
  }
  return answered;
}

/** The process that asked is gone or went on: the turn that takes the question up carries the answer and the wait. */
function describeAnswer(context: AgentContext, request: InputRequest, answer: HumanInputAnswer): void {
  const span = trace.getSpan(activeContext()) as WeftSpan | undefined;
  if (!span) return;
  const before = readSession(context).pending?.find((each) => each.request.id === request.id);
  span.setAttribute(Attr.humanKind, request.kind);
  if (before) span.setAttribute(Attr.humanWaitMs, Math.max(0, Date.now() - before.askedAt));
  recordText(span, Attr.humanResponse, answerText(answer));
}

/** An answer in words. Raises `invalid_argument` for what is none. */
export function answerText(answer: HumanInputAnswer): string {
  if (typeof answer === "string") return answer;
  if (typeof (answer as Partial<typeof answer> | undefined)?.approved !== "boolean") {
    throw new WeftError(
      "invalid_argument",
      "A human's answer must be a string, or { approved: true or false } for an approval.",
    );
  }
  const { approved, reason } = answer;
  return `${approved ? "yes" : "no"}${reason ? `: ${reason}` : ""}`;
}

/** An answer to a question for words. Raises `invalid_argument` for a decision. */
export function toText(answer: HumanInputAnswer): string {
  if (typeof answer === "string") return answer;
  throw new WeftError("invalid_argument", "This request must be answered with a string.");
}

/** A decision as it is, or read from a text: yes, y, ok, approve, approved or true, then perhaps a reason. */
export function toDecision(answer: HumanInputAnswer): {
  readonly approved: boolean;
  readonly reason?: string;
} {
  if (typeof answer !== "string") {
    if (typeof answer?.approved === "boolean") return answer;
    throw new WeftError("invalid_argument", "An approval must be answered with { approved: true or false }.");
  }
  const [, approved] = /^\s*"?(yes|y|ok|okay|approved?|true)\b/iu.exec(answer) ?? [];
  const [, denied, reason] = /^\s*"?(no|n|denied|deny|false)?\b[\s:,.-]*(.*)$/isu.exec(answer) ?? [];
  if (approved) return { approved: true };
  return { approved: false, ...(reason ? { reason: denied ? reason : answer.trim() } : {}) };
}
