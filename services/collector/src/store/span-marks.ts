/** Bits of a span that lists, trees and health read without opening its body. */
export const SpanMarks = {
  /** It ended with an outcome that is not plain: suspended, cancelled, abandoned, fenced. */
  outcome: 1,
  lost: 2,
  hasMessages: 4,
  hasAppends: 8,
  /** A model call: its usage counts. */
  model: 16,
} as const;

/** OTLP span flags: whether the parent is in another process, and whether that is known. */
export const remoteParentFlags = { known: 0x100, remote: 0x200 } as const;

export const SpanKinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export const errorStatus = 2;
