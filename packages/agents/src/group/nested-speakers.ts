/*
 * NestedSpeakers: who holds the nested chats of a group's members (`target.nested`).
 *
 * Job: one speaker for each member, and the way to find a suspended one's chats again in another process.
 * Owns: the speakers. Does not own: what is said in their chats; that stands in the room, under the speaker's name.
 *
 * I1  Chats are functions and agents and do not travel: a state names the place where the group names them.
 */
import type { Agent } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { NestedChat } from "../chat/nested-chat.ts";
import type { HandoffRules } from "../handoff/handoff-rules.ts";
import { NestedSpeaker } from "../handoff/nested-target.ts";
import type { SessionState } from "./session-state.ts";

type NestedState = NonNullable<SessionState["nested"]>;

export class NestedSpeakers {
  readonly #rules: Pick<HandoffRules, "agents" | "nested">;
  readonly #speakers = new Map<Agent, NestedSpeaker>();

  constructor(rules: Pick<HandoffRules, "agents" | "nested">) {
    this.#rules = rules;
  }

  /** Who speaks for `parent` by holding `chats` next. */
  speakerFor(parent: Agent, chats: readonly NestedChat[]): NestedSpeaker {
    let speaker = this.#speakers.get(parent);
    if (!speaker) this.#speakers.set(parent, (speaker = new NestedSpeaker(parent)));
    return speaker.take(chats);
  }

  /** Undefined for an agent that is no nested speaker. */
  toState(speaker: Agent | undefined): NestedState | undefined {
    if (!(speaker instanceof NestedSpeaker)) return undefined;
    const { parent, chats } = speaker;
    const [place] = [...this.#rules.nested].find(([, each]) => each === chats) ?? [];
    const recipients = chats.map(({ recipient }) => recipient.name);
    return { parent: parent.name, recipients, ...(place === undefined ? {} : { place }) };
  }

  /** Raises `failed_precondition` when the group does not name these chats beforehand, or names others there. */
  find({ parent: name, place, recipients }: NestedState): NestedSpeaker {
    const parent = this.#rules.agents.find((agent) => agent.name === name);
    const chats = place === undefined ? undefined : this.#rules.nested.get(place);
    const isSame = chats?.map(({ recipient }) => recipient.name).join() === recipients.join();
    if (parent && chats && isSame) return this.speakerFor(parent, chats);
    throw new WeftError(
      "failed_precondition",
      `The chat was suspended in nested chats with ${recipients.join(", ")}, named by ${place ?? "a tool's result or a function"}; ` +
        "they are not found again. Make the group as it was, and name the target in a handoff, an afterWork or a guardrail too.",
    );
  }
}
