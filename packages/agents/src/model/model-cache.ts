/** Where answers are kept: JSON texts by key. */
export interface ModelCache {
  get(key: string): string | undefined | Promise<string | undefined>;
  set(key: string, value: string): void | Promise<void>;
}
