import type { AgentMessage } from "@weft/runtime/agent";
import { scopeOf } from "../chat/scope.ts";
import type { ToolBook } from "../tool/tool-book.ts";
import { runTools } from "../tool/run-tools.ts";
import type { HumanInput } from "./human-answer.ts";
import { redirectTo } from "./redirect.ts";
import type { ReplyOutcome, ReplyStep, ReplyTurn } from "./reply-chain.ts";

/** Answers the tool calls of the peer's message: AG2's way, one agent asks and another runs. */
export function toolStep(name: string, tools: ToolBook, humanInput: HumanInput | undefined): ReplyStep {
  const answer = async (turn: ReplyTurn, message: AgentMessage): Promise<ReplyOutcome> => {
    const { context, request, asker, emit } = turn;
    const ended = await runTools({
      message,
      tools: tools.runnable,
      agent: name,
      context,
      contextVariables: request.contextVariables,
      approver: { humanInput, asker },
      isOneByOne: scopeOf(context)?.usesHandoffs,
      emit,
    });
    if (!ended) return { final: true, reply: null, endedBy: "suspended" };
    if (ended.target !== undefined) await emit(redirectTo(context, ended.target, "a tool's result"));
    return { final: true, reply: ended.message };
  };
  return (turn) => {
    const message = turn.messages.at(-1);
    return message?.toolCalls?.length && message.name !== name ? answer(turn, message) : undefined;
  };
}
