import { scopeOf } from "../chat/scope.ts";
import type { ToolBook } from "../tool/tool-book.ts";
import { runTools } from "../tool/run-tools.ts";
import type { HumanInput } from "./human-answer.ts";
import { redirectTo } from "./redirect.ts";
import type { ReplyStep } from "./reply-chain.ts";

/** Answers the tool calls of the peer's message: AG2's way, one agent asks and another runs. */
export function toolStep(name: string, tools: ToolBook, humanInput: HumanInput | undefined): ReplyStep {
  return async function* answerToolCalls({ messages, request, context, asker }) {
    const message = messages.at(-1);
    if (!message?.toolCalls?.length || message.name === name) return undefined;
    const answer = yield* runTools({
      message,
      tools: tools.runnable,
      agent: name,
      context,
      contextVariables: request.contextVariables,
      approver: { humanInput, asker },
      isOneByOne: scopeOf(context)?.usesHandoffs,
    });
    if (!answer) return { final: true, reply: null, endedBy: "suspended" };
    if (answer.target !== undefined) yield redirectTo(context, answer.target, "a tool's result");
    return { final: true, reply: answer.message };
  };
}
