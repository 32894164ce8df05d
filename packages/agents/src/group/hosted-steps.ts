import type { Agent, AgentMessage, EndedBy } from "@weft/runtime/agent";
import type { Attributes } from "@weft/tracing/internal";
import { instrument } from "@weft/tracing/internal";
import { Attr, Operations, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import type { RunSetting } from "../chat/run-driver.ts";
import type { GroupSession } from "./group-session.ts";

export interface HostedGroup {
  /** What is said before anyone speaks; the last opens the chat. */
  readonly messages: readonly AgentMessage[];
  readonly setting: RunSetting;
  /** Of the group's span. */
  readonly attributes: Attributes;
}

/** A group's rounds in a span of their own, inside the conversation of whoever started it. */
export async function hostedSteps(
  group: Agent,
  session: GroupSession,
  { messages, setting, attributes }: HostedGroup,
): Promise<EndedBy> {
  const definition = {
    name: `${Operations.invokeWorkflow} ${group.name}`,
    type: SpanTypes.workflow,
    attributes: {
      [Attr.operationName]: Operations.invokeWorkflow,
      [Attr.workflowName]: group.name,
      ...attributes,
    },
  };
  return instrument(definition, async (span) => {
    session.open(messages, span);
    const endedBy = await session.rounds({ ...setting, span });
    if (endedBy === "suspended") span.outcome(Outcomes.suspended);
    return endedBy;
  });
}
