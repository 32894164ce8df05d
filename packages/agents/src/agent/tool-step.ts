import type { ToolBook } from "../tool/tool-book.ts";
import { runTools } from "../tool/run-tools.ts";
import type { ReplyStep } from "./reply-chain.ts";

/** Answers the tool calls of the peer's message: AG2's way, one agent asks and another runs. */
export function toolStep(name: string, tools: ToolBook): ReplyStep {
  return async function* answerToolCalls({ messages, request, context }) {
    const message = messages.at(-1);
    if (!message?.toolCalls?.length || message.name === name) return undefined;
    const reply = yield* runTools({
      message,
      tools: tools.runnable,
      agent: name,
      contextVariables: request.contextVariables,
      signal: context.signal,
    });
    return { final: true, reply };
  };
}
