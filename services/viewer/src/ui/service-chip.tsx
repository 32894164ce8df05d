import { createContext, useContext } from "react";
import type { CSSProperties, ReactNode } from "react";
import { hueAt } from "../trace/service-hues.ts";

/** Hues by service, of the trace that is shown. */
export const HuesContext = createContext<ReadonlyMap<string, number>>(new Map());

export function toneStyle(hue: number | undefined): CSSProperties {
  return { "--hue": hue ?? hueAt(0) } as CSSProperties;
}

/** The style that gives an element its service's colours, as `var(--tone-fill)` and its kin. */
export function useTone(service: string): CSSProperties {
  return toneStyle(useContext(HuesContext).get(service));
}

export function ServiceChip({
  service,
  children,
}: {
  readonly service: string;
  readonly children?: ReactNode;
}) {
  const style = useTone(service);
  return (
    <span className="chip tone" style={style}>
      <span className="chip-dot" />
      <span className="chip-name">{service || "unnamed service"}</span>
      {children}
    </span>
  );
}
