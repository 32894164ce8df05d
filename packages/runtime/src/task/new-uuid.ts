import { randomUUID } from "node:crypto";

/** A random UUID that is one piece of text: node's own is a tree of twenty, and a task keeps its id for good. */
export function newUuid(): string {
  return flatten(randomUUID());
}

/** The same ASCII text in one piece. */
export function flatten(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
