export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;
/** Runs one statement and returns its rows. */
export type RunSql = (
  sql: string,
  values?: readonly SqlValue[],
) => Promise<readonly SqlRow[]> | readonly SqlRow[];
