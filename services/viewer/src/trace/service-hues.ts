/**
 * Colours of services: hues in degrees of OKLCH, far apart in the order they are given out. Lightness and chroma are the theme's
 * (`styles/tokens.css`), chosen so that every hue is readable in both.
 */
const hues = [262, 45, 160, 330, 95, 210, 18, 295, 125, 235, 350, 185] as const;

/** The hue of a trace's service number `order`, from 0. */
export function hueAt(order: number): number {
  return hues[order % hues.length] ?? hues[0];
}

/**
 * Hues by service, in the order of the names: the list, whose order of services is that of arrival, and the trace's own page then
 * agree, and so does every reader.
 */
export function assignHues(services: Iterable<string>): ReadonlyMap<string, number> {
  const names = [...new Set(services)].sort((a, b) => (a < b ? -1 : 1));
  return new Map(names.map((service, order) => [service, hueAt(order)]));
}
