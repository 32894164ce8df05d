/** Every code a `WeftError` may carry, with its meaning in one line. docs/errors.md repeats this table. */
export const errorCodes = {
  invalid_argument: "An argument or a message has the wrong shape or value; the same call cannot succeed.",
  not_found: "What the call names (an agent, a task, a trace) does not exist here.",
  already_exists: "What the call would create exists already.",
  unauthenticated: "The caller did not prove who it is, or the proof is not valid.",
  permission_denied: "The caller is known and may not do this.",
  failed_precondition: "The state of the agent, chat or task does not allow this call now.",
  limit_exceeded: "A limit on size, rate, count or depth was reached.",
  deadline_exceeded: "The work did not finish before its deadline.",
  aborted: "The caller gave the work up.",
  unavailable: "The other side cannot be reached or is not ready; trying again may help.",
  unimplemented: "The other side, or this version, does not offer the operation.",
  protocol_error: "The other side sent something its protocol does not allow.",
  invalid_card: "An agent card could not be read or names no interface that can be used.",
  model_failed: "The model's provider refused or failed the call.",
  tool_failed: "A tool threw, or gave a result that cannot be used.",
  budget_exceeded: "The conversation's budget of tokens, cost, turns, hops or time is spent.",
  missing_dependency: "An optional package is not installed; the message holds the command that installs it.",
  internal: "A fault in Weft, or an error that nothing has classified.",
} as const;

export type WeftErrorCode = keyof typeof errorCodes;

/** The codes for which the same call may succeed later. */
export const retryableCodes: ReadonlySet<WeftErrorCode> = new Set(["unavailable"]);
