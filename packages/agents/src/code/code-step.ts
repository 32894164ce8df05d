import type { AgentMessage } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { instrument, recordText } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { ReplyStep } from "../agent/reply-chain.ts";
import type { CodeBlock, CodeExecutionOptions, CodeResult } from "./code-executor.ts";
import { findCodeBlocks } from "./code-executor.ts";

/** Runs the code of the messages since the agent's own last one, newest message first (SEMANTICS X1). */
export function codeStep(name: string, options: CodeExecutionOptions): ReplyStep {
  const { executor, lastMessages = "auto" } = options;
  if (typeof executor?.execute !== "function") {
    throw new WeftError(
      "invalid_argument",
      `Agent "${name}": codeExecution needs an executor: localExecutor() or dockerExecutor().`,
    );
  }
  if (lastMessages !== "auto" && !(Number.isInteger(lastMessages) && lastMessages > 0)) {
    throw new WeftError("invalid_argument", `Agent "${name}": codeExecution.lastMessages must be 1 or more.`);
  }
  return async ({ messages, context }) => {
    const blocks = newestBlocks(messages, name, lastMessages);
    if (blocks.length === 0) return undefined;
    const result = await instrument(definitionOf(name, blocks), async (span) => {
      const ended = await executor.execute(blocks, { signal: context.signal });
      span.setAttribute(Attr.codeExitCode, ended.exitCode);
      recordText(span, Attr.codeOutput, ended.output);
      return ended;
    });
    return { final: true, reply: describe(result) };
  };
}

function definitionOf(name: string, blocks: readonly CodeBlock[]) {
  return {
    name: `${Operations.executeCode} ${name}`,
    type: SpanTypes.codeExecution,
    attributes: {
      [Attr.operationName]: Operations.executeCode,
      [Attr.agentName]: name,
      [Attr.codeLanguage]: [...new Set(blocks.map(({ language }) => language))].join(","),
    },
  };
}

function newestBlocks(
  messages: readonly AgentMessage[],
  name: string,
  lastMessages: number | "auto",
): readonly CodeBlock[] {
  const least = lastMessages === "auto" ? 0 : messages.length - lastMessages;
  for (let index = messages.length - 1; index >= Math.max(0, least); index--) {
    const message = messages[index]!;
    if (lastMessages === "auto" && message.name === name) break;
    const blocks = findCodeBlocks(messageText(message));
    if (blocks.length > 0) return blocks;
  }
  return [];
}

function describe({ exitCode, output, reason }: CodeResult): string {
  const outcome = exitCode === 0 ? "execution succeeded" : `execution failed${reason ? `: ${reason}` : ""}`;
  return `exitcode: ${exitCode} (${outcome})\nCode output: ${output}`;
}
