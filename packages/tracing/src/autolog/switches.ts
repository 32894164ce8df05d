/**
 * Job: which of the autologs are on.
 * Owns: that set, for the process.
 */
const names = ["openai", "aisdk", "mcp"] as const;
export type AutologName = (typeof names)[number];

export interface AutologOptions {
  /** `true`: all off. A list: these off, the others on. `false`: all on, as at the start. */
  readonly disable: boolean | readonly AutologName[];
}

let disabled: ReadonlySet<AutologName> = new Set();

export function switchAutolog({ disable }: AutologOptions): void {
  disabled = new Set(disable === true ? names : disable === false ? [] : disable);
}

export function isAutologOn(name: AutologName): boolean {
  return !disabled.has(name);
}
