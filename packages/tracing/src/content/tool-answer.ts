/**
 * `weft.tool.call.answered_in`, as `<message id>:<place>/<count>`: the result of this call is the text of that message's response at
 * `place`, of `count`.
 */
export interface ToolAnswer {
  readonly messageId: string;
  /** From 0, in the order of the calls. */
  readonly place: number;
  /** How many responses the message has. */
  readonly count: number;
}

export function writeToolAnswer({ messageId, place, count }: ToolAnswer): string {
  return `${messageId}:${place}/${count}`;
}

/** Undefined for what is none. */
export function parseToolAnswer(value: unknown): ToolAnswer | undefined {
  const match = typeof value === "string" ? /^(.+):(\d{1,6})\/(\d{1,6})$/s.exec(value) : null;
  if (match === null) return undefined;
  const answer = { messageId: match[1] ?? "", place: Number(match[2]), count: Number(match[3]) };
  return answer.place < answer.count ? answer : undefined;
}

/** Under this id a process remembers that it recorded one response of a message. */
export function responseId(messageId: string, place: number): string {
  return `${messageId}:${place}`;
}
