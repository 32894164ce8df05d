/** One service, and the wires on which it is fuzzed. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { connect, defineAgent, serve } from "@weft/runtime";
import type { Binding, Service } from "@weft/runtime";

const bindings: readonly Binding[] = ["jsonrpc", "rest", "ws", "grpc"];

/** 2,000 inputs a binding in `npm test`, 100,000 in `npm run fuzz`. */
export const inputs = Number(process.env["WEFT_FUZZ_INPUTS"] ?? 2_000);

/** Inputs that are under way at once. */
const together = 50;

const patience = 10_000;

const echo = defineAgent({
  name: "echo",
  async *respond({ messages }) {
    yield String(messages.length);
  },
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Whatever a text that left the service may never hold: stacks, paths, what V8 says of our code. */
const leaks =
  /node_modules|\.ts:\d|\.js:\d|Cannot read prop|is not a function|is not iterable|\[object Object\]/;

export function assertNoLeak(answer: string): void {
  assert.doesNotMatch(answer, leaks);
}

/**
 * Sends `inputs` of what `arbitrary` makes; `send` rejects for an answer that is not proper. Afterwards the service still
 * works on every binding, runs nothing, and has not kept what it was sent.
 */
export async function fuzz<T>(
  arbitrary: fc.Arbitrary<T>,
  open: (service: Service) => Promise<{ send(input: T): Promise<void>; close(): Promise<void> }>,
): Promise<void> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  await using service = await serve(echo, {
    bindings,
    signals: false,
    limits: { endedTasks: 100, contexts: 100, bodyBytes: 100_000, frameBytes: 100_000 },
  });
  const wire = await open(service);
  const batches = Math.ceil(inputs / together);
  let warm = 0;
  let batch = 0;
  const property = fc.asyncProperty(
    fc.array(arbitrary, { minLength: together, maxLength: together }),
    async (batchInputs) => {
      await Promise.all(batchInputs.map((input) => inTime(wire.send(input), input)));
      if (++batch === Math.ceil(batches / 4)) warm = bytesInUse();
    },
  );
  await fc.assert(property, { numRuns: batches, endOnFailure: inputs > 10_000 });
  const grown = bytesInUse() - warm;
  assert.ok(grown < 40_000_000, `memory grew by ${grown} bytes`);
  for (const binding of bindings) {
    await using client = await connect(service.url, { binding });
    assert.equal(await client.ask("alive?"), "1", binding);
  }
  const ready = (await (await fetch(`${service.url}/readyz`)).json()) as { runningTasks: number };
  assert.equal(ready.runningTasks, 0);
  await wire.close();
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
}

function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function inTime(answer: Promise<void>, input: unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `no answer within ${patience} ms to ${JSON.stringify(input)?.slice(0, 300)}`;
    timer = setTimeout(() => reject(new assert.AssertionError({ message: text })), patience);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
