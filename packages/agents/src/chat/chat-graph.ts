/*
 * Chats as a graph (SEMANTICS C5).
 *
 * Job: starts each chat as soon as its prerequisites are done.
 * Owns: the order, the outcomes. Does not own: a chat.
 *
 * I1  A graph that cannot be run starts nothing.
 * I2  A failure or a suspension keeps its dependants, and theirs, from starting; what does not depend on it runs to its end.
 */
import { WeftError } from "@weft/tracing";
import type { ChatResult } from "./chat-result.ts";
import type { Run } from "./run.ts";

interface Node {
  readonly id: string;
  readonly prerequisites: readonly string[];
}

export type GraphOutcome =
  | { readonly status: "done" | "suspended"; readonly result: ChatResult }
  | { readonly status: "failed"; readonly error: WeftError }
  /** `because`: the prerequisite that failed, was suspended, or was skipped. */
  | { readonly status: "skipped"; readonly because: string };

/** At least one chat of a graph failed: `outcomes` tells of all. */
export class GraphError extends WeftError {
  readonly outcomes: Readonly<Record<string, GraphOutcome>>;

  constructor(first: WeftError, outcomes: Readonly<Record<string, GraphOutcome>>) {
    super(first.code, first.message, { cause: first, retryable: first.retryable });
    this.outcomes = outcomes;
  }

  /** By its own brand alone: `WeftError` answers for every Weft error. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof WeftError && "outcomes" in value;
  }
}

/** Checks the graph now; the function it gives back runs it. */
export function runGraph<N extends Node>(
  nodes: readonly N[],
  start: (node: N, before: readonly ChatResult[]) => Run,
): () => Promise<Readonly<Record<string, ChatResult>>> {
  checkGraph(nodes);
  return async () => {
    const outcomes = new Map<string, Promise<GraphOutcome>>();
    const visit = (node: N): Promise<GraphOutcome> => {
      let outcome = outcomes.get(node.id);
      if (!outcome) outcomes.set(node.id, (outcome = runNode(node, nodes, visit, start)));
      return outcome;
    };
    const settled = await Promise.all(nodes.map(async (node) => [node.id, await visit(node)] as const));
    const failed = settled.find(([, outcome]) => outcome.status === "failed")?.[1];
    if (failed?.status === "failed") throw new GraphError(failed.error, Object.fromEntries(settled));
    return Object.fromEntries(
      settled.flatMap(([id, outcome]) => ("result" in outcome ? [[id, outcome.result]] : [])),
    );
  };
}

async function runNode<N extends Node>(
  node: N,
  nodes: readonly N[],
  visit: (node: N) => Promise<GraphOutcome>,
  start: (node: N, before: readonly ChatResult[]) => Run,
): Promise<GraphOutcome> {
  const needed = node.prerequisites.map((id) => nodes.find((other) => other.id === id)!);
  const before = await Promise.all(needed.map(visit));
  const results: ChatResult[] = [];
  for (const [index, outcome] of before.entries()) {
    if (outcome.status !== "done") return { status: "skipped", because: needed[index]!.id };
    results.push(outcome.result);
  }
  try {
    const result = await start(node, results).result;
    return { status: result.endedBy === "suspended" ? "suspended" : "done", result };
  } catch (error) {
    return { status: "failed", error: WeftError.from(error) };
  }
}

function checkGraph(nodes: readonly Node[]): void {
  const byId = new Map<string, Node>();
  for (const node of nodes) {
    if (typeof node.id !== "string" || node.id === "") {
      throw new WeftError("invalid_argument", "Chats of a graph need an id each: a non-empty string.");
    }
    if (byId.has(node.id)) throw new WeftError("invalid_argument", `Two chats have the id "${node.id}".`);
    byId.set(node.id, node);
  }
  for (const { id, prerequisites } of nodes) {
    for (const needed of prerequisites) {
      if (byId.has(needed)) continue;
      throw new WeftError(
        "invalid_argument",
        `Chat "${id}" waits for "${needed}", and there is no such chat.`,
      );
    }
  }
  const cycle = findCycle(byId);
  if (cycle) {
    throw new WeftError("invalid_argument", `The chats wait for one another: ${cycle.join(" -> ")}.`);
  }
}

/** Takes away what waits for nothing until nothing is left; what stays holds a cycle. */
function findCycle(byId: ReadonlyMap<string, Node>): readonly string[] | undefined {
  const left = new Map(byId);
  for (;;) {
    const free = [...left.values()].filter(({ prerequisites }) => !prerequisites.some((id) => left.has(id)));
    if (free.length === 0) break;
    for (const { id } of free) left.delete(id);
  }
  const [start] = left.keys();
  if (start === undefined) return undefined;
  const path: string[] = [];
  for (let id = start; !path.includes(id);) {
    path.push(id);
    id = left.get(id)!.prerequisites.find((needed) => left.has(needed))!;
  }
  const last = left.get(path.at(-1)!)!.prerequisites.find((id) => left.has(id))!;
  return [...path.slice(path.indexOf(last)), last];
}
