/** The longest beginning of `text` that has at most `bytes` bytes and ends between characters. */
export function cutToBytes(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || (text.length <= bytes && Buffer.byteLength(text) <= bytes)) return text;
  const start = text.slice(0, bytes);
  const size = Buffer.byteLength(start);
  if (size === start.length) return detach(start, "latin1");
  if (size <= bytes) return detach(endBetweenCharacters(start), "utf16le");
  let low = 0;
  let high = start.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (Buffer.byteLength(start.slice(0, middle)) <= bytes) low = middle;
    else high = middle - 1;
  }
  return detach(endBetweenCharacters(start.slice(0, low)), "utf16le");
}

/** The same text in memory of its own: a slice would keep all of what it was cut from as long as its span waits. */
export function detach(text: string, encoding: "latin1" | "utf16le" = "utf16le"): string {
  return Buffer.from(text, encoding).toString(encoding);
}

/** Bytes of `text` in UTF-8. Short texts that are plain ASCII are counted here, which is faster than asking. */
export function textBytes(text: string): number {
  const { length } = text;
  if (length > 24) return Buffer.byteLength(text);
  for (let at = 0; at < length; at += 1) if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text);
  return length;
}

/** Beyond this many characters what was cut is counted in characters: counting must not cost more than cutting. */
const countedExactly = 65_536;

/** Bytes of `text` from `start` on; of a long rest, at least that many. */
export function bytesAfter(text: string, start: number): number {
  const rest = text.length - start;
  return rest > countedExactly ? rest : Buffer.byteLength(text.slice(start));
}

function endBetweenCharacters(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}
