/** What asking the collector comes to: the page shows failures, it does not throw them. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

export type FailureKind =
  | "unreachable"
  | "unauthenticated"
  | "notFound"
  | "refused"
  | "malformed"
  | "aborted";

export interface Failure {
  readonly kind: FailureKind;
  /** What happened, a sentence. */
  readonly message: string;
  /** What to do about it, a sentence. */
  readonly remedy: string;
}

export function succeed<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function fail(
  kind: FailureKind,
  message: string,
  remedy: string,
): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { kind, message, remedy } };
}
