import type { ReactNode } from "react";
import { Button } from "react-aria-components/Button";
import type { Failure } from "../data/result.ts";
import { TokenForm } from "./token-form.tsx";

/** Pages have a heading of the first level; panels within one, the second. */
type Heading = "h1" | "h2";

export interface NoticeProps {
  readonly title: string;
  readonly heading: Heading;
  readonly children?: ReactNode;
}

/** A page or a panel that has nothing else to show. */
export function Notice({ title, heading: Heading, children }: NoticeProps) {
  return (
    <div className="notice">
      <Heading>{title}</Heading>
      {children}
    </div>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <div className="notice" role="status">
      <span className="spinner" />
      <p>Loading {what}…</p>
    </div>
  );
}

export interface FailureNoticeProps {
  readonly failure: Failure;
  readonly onRetry: () => void;
}

export function FailureNotice({
  failure,
  onRetry,
  heading: Heading,
}: FailureNoticeProps & { readonly heading: Heading }) {
  return (
    <div className="notice" role="alert">
      <Heading>{failure.message}</Heading>
      <p>{failure.remedy}</p>
      {failure.kind === "unauthenticated" ? (
        <TokenForm onGiven={onRetry} />
      ) : (
        <Button className="button" onPress={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** A failure beside what is still shown. */
export function FailureLine({ failure, onRetry }: FailureNoticeProps) {
  return (
    <p className="failure-line" role="alert">
      <span>
        {failure.message} {failure.remedy}
      </span>
      <Button className="button small" onPress={onRetry}>
        Try again
      </Button>
    </p>
  );
}
