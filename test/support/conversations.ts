import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { locate } from "./requires.ts";

/** A recorded conversation: who said what, in order. */
export interface Recording {
  readonly id: string;
  readonly history: readonly { readonly name: string; readonly content: string }[];
}

/** The recordings on this machine, by name; none where there are none (`requires("conversations")` says so). */
export function recordings(): readonly Recording[] {
  const folder = locate("conversations");
  if (folder === undefined) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.toSorted().map((file) => readRecording(join(folder, file)));
}

export function readRecording(file: string): Recording {
  return JSON.parse(readFileSync(file, "utf8")) as Recording;
}

/** The speakers of a recording, each once, in the order they first speak. */
export function speakersOf({ history }: Recording): readonly string[] {
  return [...new Set(history.map(({ name }) => name))];
}
