import type { ReactNode } from "react";

export interface SectionProps {
  readonly title: string;
  readonly count?: number;
  readonly children: ReactNode;
}

export function Section({ title, count, children }: SectionProps) {
  return (
    <section className="section">
      <h3>
        {title}
        {count !== undefined && count > 1 && <span className="count">{count}</span>}
      </h3>
      {children}
    </section>
  );
}
