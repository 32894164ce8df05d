/**
 * Serves agents on a SQLite store, for tests that kill the process: `serve-durable <database> <effects> [leaseMs] [wait|all]`.
 *
 * Every effect is one line in the effects file, written at once: `do <key>` before, `done <key>` once the step has given
 * its result. It prints its URL, then one line for each line of the effects file.
 */
import { appendFileSync } from "node:fs";
import process from "node:process";
import { setImmediate as turnOfLoop, setTimeout as pause } from "node:timers/promises";
import { defineAgent, serve, sqliteStore } from "@weft/runtime";
import { messageText } from "@weft/runtime/agent";
import type { AgentContext, AgentYield } from "@weft/runtime/agent";
import { captureSpans, traceIdOf } from "@weft/tracing/internal";

const [database, effects, leaseMs = "10000"] = process.argv.slice(2);
captureSpans();

function note(line: string): void {
  appendFileSync(effects!, `${line}\n`);
  process.stdout.write(`${line}\n`);
}

async function effect<T>(context: AgentContext, key: string, result: T): Promise<T> {
  const given = await context.journal!.step(key, async ({ idempotencyKey }) => {
    note(`do ${idempotencyKey}`);
    await turnOfLoop();
    return result;
  });
  note(`done ${context.taskId}/${key}`);
  return given;
}

/** Four rounds of a model call and a tool call, with text in between; says what it was asked. */
const worker = defineAgent({
  name: "worker",
  async *respond({ messages }, context): AsyncGenerator<AgentYield> {
    const question = messageText(messages.at(-1)!);
    note(`turn ${context.taskId} ${traceIdOf() ?? ""}`);
    for (let round = 0; round < 4; round++) {
      const word = await effect(context, `model/${question}/${round}`, `${question}${round}`);
      const number = await effect(context, `tool/${question}/${round}`, round * 10);
      yield `${word}=${number} `;
    }
    context.session.state = {
      turns: ((context.session.state as { turns?: number } | undefined)?.turns ?? 0) + 1,
    };
    yield `after ${messages.length}`;
  },
});

/** Five words, then it waits to be killed, once; the attempt after that says all ten. */
const streamer = defineAgent({
  name: "streamer",
  async *respond(_request, context): AsyncGenerator<AgentYield> {
    const isFirst = await context.journal!.begin("wait");
    for (let word = 0; word < 10; word++) {
      yield `${isFirst.isDone ? "b" : "a"}${word} `;
      if (!isFirst.isDone && word === 4) {
        await isFirst.step.finish(true);
        await pause(200);
        note("waiting");
        await new Promise(() => undefined);
      }
    }
  },
});

/** A tool that honours no key and is killed in the middle of its work. */
const careful = defineAgent({
  name: "careful",
  async *respond(_request, context): AsyncGenerator<AgentYield> {
    try {
      await context.journal!.step(
        "launch",
        async () => {
          note("launched");
          await new Promise(() => undefined);
        },
        { onUnknown: "fail" },
      );
    } catch (error) {
      yield (error as Error).message;
    }
  },
});

/** Waits for a line on standard input in the middle of a step, then goes on with the next. */
const paused = defineAgent({
  name: "paused",
  async *respond(_request, context): AsyncGenerator<AgentYield> {
    await context.journal!.step("first", async () => {
      note(`first ${process.pid}`);
      if (process.argv[5] === "wait") await new Promise((resolve) => process.stdin.once("data", resolve));
      return 1;
    });
    await context.journal!.step("second", async () => {
      note(`second ${process.pid}`);
      return 2;
    });
    yield "through";
  },
});

const service = await serve(
  { worker, streamer, careful, paused },
  {
    store: sqliteStore(database!),
    signals: false,
    // All of them only where they are tested: the service starts often, and gRPC takes its time.
    bindings: process.argv[5] === "all" ? ["jsonrpc", "rest", "ws", "grpc"] : ["jsonrpc"],
    limits: { leaseMs: Number(leaseMs) },
    push: { urls: { allowPrivate: true }, backOffMs: 100_000 },
  },
);
process.stdout.write(`${service.url}\n`);
