/** The collector's token, kept for this tab only. */
const key = "weft-token";

export function currentToken(): string | undefined {
  return sessionStorage.getItem(key) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(key, token);
}
