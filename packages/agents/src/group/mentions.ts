/*
 * Which names a text mentions (SEMANTICS G5). Names are literals, never patterns; the time is linear in the text.
 */

interface Mention {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The names mentioned in `text`, each once, in the order given. Case counts; a name stands between word borders; its
 * `_` may be written as a space or as `\_`. A name inside a longer one (`coder` in `senior_coder`) is no mention.
 */
export function findMentions(text: string, names: readonly string[]): readonly string[] {
  const plain = text.replaceAll("\\_", "_");
  const blurred = plain.replaceAll(" ", "_");
  const mentions = names.flatMap((name) => [...mentionsOf(name, plain, blurred)]);
  return names.filter((name) =>
    mentions.some((each) => each.name === name && !isInsideLonger(each, mentions)),
  );
}

function* mentionsOf(name: string, plain: string, blurred: string): Generator<Mention> {
  if (name === "") return;
  const wanted = name.replaceAll(" ", "_");
  for (let start = blurred.indexOf(wanted); start !== -1; start = blurred.indexOf(wanted, start + 1)) {
    const end = start + wanted.length;
    if (!isWordAt(plain, start - 1) && !isWordAt(plain, end) && spacesFit(name, plain, start)) {
      yield { name, start, end };
    }
  }
}

/** A name's own space must be a space in the text: only `_` may read as either. */
function spacesFit(name: string, plain: string, start: number): boolean {
  for (let at = name.indexOf(" "); at !== -1; at = name.indexOf(" ", at + 1)) {
    if (plain[start + at] !== " ") return false;
  }
  return true;
}

const wordCharacter = /[\p{L}\p{N}_]/u;

function isWordAt(text: string, index: number): boolean {
  const character = text[index];
  return character !== undefined && wordCharacter.test(character);
}

function isInsideLonger(mention: Mention, mentions: readonly Mention[]): boolean {
  const length = mention.end - mention.start;
  return mentions.some(
    ({ start, end }) => start <= mention.start && end >= mention.end && end - start > length,
  );
}
