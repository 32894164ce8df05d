const accepted = /^[A-Za-z0-9_-]{1,64}$/u;

/** The names that every provider accepts: `[A-Za-z0-9_-]{1,64}`. Others are made so: a stranger becomes `_`. */
export function normaliseToolName(name: string): string {
  if (accepted.test(name)) return name;
  const cleaned = name.replaceAll(/[^A-Za-z0-9_-]/gu, "_").slice(0, 64);
  return cleaned === "" ? "_" : cleaned;
}
