/*
 * CardCache: cards as they were read, for those who connect again.
 *
 * Job: says whether a card may be used without asking, or asked for with its ETag (RFC 9111, as far as a card needs it).
 * Owns: the texts. Does not own: the request, or what a card means.
 *
 * I1  What one login was shown is not shown to another.
 * I2  Bounded: the longest unused go first. What is longer than a card should be is not kept.
 * I3  A card of loopback is asked for each time: ports are used again by others there, and asking costs nothing.
 */
import { isLoopback } from "../server/call-context.ts";

export interface CachedCard {
  readonly text: string;
  readonly etag: string | undefined;
  /** Milliseconds of the steady clock. */
  readonly freshUntil: number;
}

const maxCards = 500;
const maxCardCharacters = 65_536;
const maxAgeMs = 24 * 3_600_000;

const anonymous = {};
const cardsByLogin = new WeakMap<object, Map<string, CachedCard>>();

/** What is kept of `url` for this login. */
export function cachedCard(login: object | undefined, url: string): CachedCard | undefined {
  return cardsByLogin.get(login ?? anonymous)?.get(url);
}

export function isFresh(card: CachedCard): boolean {
  return performance.now() < card.freshUntil;
}

/** Keeps a card as its headers allow; one that may not be kept is forgotten. */
export function keepCard(
  login: object | undefined,
  url: string,
  text: string,
  header: (name: string) => string | null,
): void {
  const cards = cardsByLogin.get(login ?? anonymous) ?? new Map<string, CachedCard>();
  cardsByLogin.set(login ?? anonymous, cards);
  cards.delete(url);
  const control = (header("cache-control") ?? "").toLowerCase();
  const etag = header("etag") ?? undefined;
  const ageMs = isLoopback(new URL(url).hostname) ? 0 : freshMsOf(control);
  if (/\bno-store\b/.test(control) || text.length > maxCardCharacters || (ageMs === 0 && !etag)) return;
  cards.set(url, { text, etag, freshUntil: performance.now() + ageMs });
  if (cards.size > maxCards) cards.delete(cards.keys().next().value!);
}

function freshMsOf(control: string): number {
  if (/\bno-cache\b/.test(control)) return 0;
  const seconds = Number(/\bmax-age=(\d{1,9})/.exec(control)?.[1] ?? 0);
  return Math.min(maxAgeMs, seconds * 1_000);
}
