import type { Agent, AgentEvent, AgentMessage, EndedBy } from "@weft/runtime/agent";
import type { Attributes } from "@weft/tracing/internal";
import { bindGenerator, openSpan } from "@weft/tracing/internal";
import { Attr, Operations, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import type { RunSetting } from "../chat/run.ts";
import type { GroupSession } from "./group-session.ts";

export interface HostedGroup {
  /** What is said before anyone speaks; the last opens the chat. */
  readonly messages: readonly AgentMessage[];
  readonly setting: RunSetting;
  /** Of the group's span. */
  readonly attributes: Attributes;
}

/** A group's rounds in a span of their own, inside the conversation of whoever started it. */
export async function* hostedSteps(
  group: Agent,
  session: GroupSession,
  { messages, setting, attributes }: HostedGroup,
): AsyncGenerator<AgentEvent, EndedBy> {
  const opened = openSpan({
    name: `${Operations.invokeWorkflow} ${group.name}`,
    type: SpanTypes.workflow,
    attributes: {
      [Attr.operationName]: Operations.invokeWorkflow,
      [Attr.workflowName]: group.name,
      ...attributes,
    },
  });
  try {
    session.open(messages, opened.span);
    const rounds = bindGenerator(
      opened.span.context,
      opened.run(() => session.rounds({ ...setting, span: opened.span })),
    );
    const endedBy = yield* rounds;
    opened.end(endedBy === "suspended" ? Outcomes.suspended : undefined);
    return endedBy;
  } catch (error) {
    opened.fail(error);
    throw error;
  } finally {
    opened.end(Outcomes.cancelled);
  }
}
