import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { TaskState } from "@a2a-js/sdk";
import type { StreamResponse, Task } from "@a2a-js/sdk";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { connect, sqliteStore } from "../src/index.ts";
import type { Binding, RemoteClient } from "../src/index.ts";
import { sendRequest } from "./requests.ts";
import type { SendOptions } from "./requests.ts";
import { bindings } from "./support.ts";

const timeout = 110_000;
/** Kills of a service at random moments, in series of twenty: two hundred where there is time, as in CI. */
const series = process.env["WEFT_LONG"] === "1" ? 10 : 1;
const kills = 20;
const folder = mkdtempSync(join(tmpdir(), "weft-durable-"));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

interface Files {
  readonly database: string;
  readonly effects: string;
}

function newFiles(): Files {
  const name = randomUUID();
  return { database: join(folder, `${name}.db`), effects: join(folder, `${name}.txt`) };
}

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  /** Resolves at the next line that `wanted` takes. */
  line(wanted: (line: string) => boolean): Promise<string>;
  kill(): Promise<void>;
}

async function start(files: Files, ...more: string[]): Promise<Running> {
  const child = spawnNode(new URL("./programs/serve-durable.ts", import.meta.url), [
    files.database,
    files.effects,
    ...more,
  ]);
  children.add(child);
  let errors = "";
  child.stderr!.on("data", (chunk) => (errors += String(chunk)));
  const exited = once(child, "exit");
  const waiting = new Set<(line: string) => void>();
  createInterface({ input: child.stdout! }).on("line", (line) => {
    for (const take of waiting) take(line);
  });
  const line = (wanted: (line: string) => boolean): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const take = (given: string): void => {
      if (!wanted(given)) return;
      waiting.delete(take);
      resolve(given);
    };
    waiting.add(take);
    void exited.then(() => reject(new TypeError(`The service ended. ${errors}`)));
    promise.catch(() => undefined);
    return promise;
  };
  const url = await line((given) => given.startsWith("http://"));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    children.delete(child);
  };
  return { child, url, line, kill };
}

/** A message whose task is not waited for. */
const requestOf = (text: string, given: SendOptions = {}) =>
  sendRequest(text, { returnImmediately: true, ...given });

function open(service: Running, agent: string, binding: Binding = "jsonrpc"): Promise<RemoteClient> {
  return connect(`${service.url}/${agent}`, { binding });
}

function textOf(task: Task): string {
  const parts = task.artifacts.flatMap((artifact) => artifact.parts);
  return parts.map(({ content }) => (content?.$case === "text" ? content.value : "")).join("");
}

async function settled(client: RemoteClient, id: string): Promise<Task> {
  for (;;) {
    const task = await client.getTask({ tenant: "", id });
    if ((task.status?.state ?? 0) >= TaskState.TASK_STATE_COMPLETED) return task;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const lines = (files: Files): string[] => readFileSync(files.effects, "utf8").trim().split("\n");

for (let number = 1; number <= series; number++) {
  const title = `killed at random moments (series ${number} of ${series}), a service loses no task, repeats nothing that its journal holds, and keeps each task in one trace`;
  test(title, { timeout }, async () => {
    const files = newFiles();
    const tasks: { id: string; question: string; contextId: string }[] = [];
    for (let round = 0; round < kills; round++) {
      const service = await start(files);
      const seen = { count: 0 };
      const limit = 1 + Math.floor(Math.random() * 30);
      const reached = service.line(() => ++seen.count >= limit);
      await using client = await open(service, "worker");
      // A new conversation, and a second turn in an old one, while what was left goes on by itself.
      for (const contextId of [randomUUID(), tasks.at(-1)?.contextId ?? randomUUID()]) {
        const question = `q${tasks.length}`;
        const task = await client.sendMessage(requestOf(question, { contextId })).catch(() => undefined);
        if (task && "status" in task) tasks.push({ id: task.id, question, contextId });
      }
      await reached;
      await service.kill();
    }
    const service = await start(files);
    await using client = await open(service, "worker");
    assert.ok(tasks.length >= kills, `${tasks.length} tasks were taken`);
    for (const { id, question } of tasks) {
      const task = await settled(client, id);
      assert.equal(task.status?.state, TaskState.TASK_STATE_COMPLETED);
      const expected = [0, 1, 2, 3].map((at) => `${question}${at}=${at * 10} `).join("");
      assert.match(textOf(task), new RegExp(`^${expected}after \\d+$`));
    }
    await service.kill();
    checkEffects(lines(files), new Set(tasks.map(({ id }) => id)));
  });
}

/** `done` means that the result was durable: no `do` of that step may follow. */
function checkEffects(all: readonly string[], taken: ReadonlySet<string>): void {
  const done = new Set<string>();
  const traces = new Map<string, Set<string>>();
  const stretches = new Map<string, number>();
  for (const line of all) {
    const [kind, what = "", traceId = ""] = line.split(" ");
    if (kind === "turn") {
      traces.set(what, (traces.get(what) ?? new Set()).add(traceId));
      stretches.set(what, (stretches.get(what) ?? 0) + 1);
    }
    // The key of the step is behind the id of the message, which `done` does not know.
    const step = what
      .split("/")
      .filter((_, at) => kind === "done" || at !== 1)
      .join("/");
    if (kind === "do") assert.ok(!done.has(step), `${step} was done again`);
    if (kind === "done") done.add(step);
  }
  for (const id of taken) {
    assert.equal(traces.get(id)?.size, 1, "one trace");
    assert.match([...traces.get(id)!][0]!, /^[0-9a-f]{32}$/);
  }
  assert.ok(
    [...stretches.values()].some((count) => count > 1),
    "at least one task was taken up again",
  );
}

test(
  "killed in mid-stream, a stream goes on from every number with one attempt's text and no gap, on every binding",
  { timeout },
  async () => {
    const files = newFiles();
    const first = await start(files, "10000", "all");
    const count = { waiting: 0 };
    const waiting = first.line((line) => line === "waiting" && ++count.waiting === bindings.length);
    const readers = await Promise.all(bindings.map((binding) => StreamReader.open(first, binding)));
    await waiting;
    await first.kill();
    await Promise.all(readers.map((reader) => reader.ended));
    const second = await start(files, "10000", "all");
    for (const reader of readers) await checkResumed(reader, second);
    await second.kill();
  },
);

/** Reads a stream of `streamer` until it breaks. */
class StreamReader {
  readonly binding: Binding;
  readonly seen: StreamResponse[] = [];
  readonly ended: Promise<void>;

  private constructor(binding: Binding, client: RemoteClient) {
    this.binding = binding;
    this.ended = this.#read(client).catch(() => client[Symbol.asyncDispose]());
  }

  static async open(service: Running, binding: Binding): Promise<StreamReader> {
    return new StreamReader(binding, await open(service, "streamer", binding));
  }

  async #read(client: RemoteClient): Promise<void> {
    const extensions = { serviceParameters: { "A2A-Extensions": "urn:weft:a2a:hop:1" } };
    for await (const response of client.sendMessageStream(requestOf("go"), extensions))
      this.seen.push(response);
    assert.fail("the stream ended before its service was killed");
  }
}

async function checkResumed({ binding, seen }: StreamReader, service: Running): Promise<void> {
  await using client = await open(service, "streamer", binding);
  const numbers = seen.map(numberOf).filter((number) => number !== undefined);
  const say = `${binding}: ${numbers.join(" ")}`;
  assert.ok(numbers.length >= 5 && numbers.every((number) => number.startsWith("1.")), say);
  const payload = seen[0]?.payload;
  assert.ok(payload?.$case === "task");
  const { id } = payload.value;
  const whole = textOf(await settled(client, id));
  assert.equal(whole, Array.from({ length: 10 }, (_, word) => `b${word} `).join(""));

  // What a client has that saw everything up to one of its events, and then what follows that event's number.
  for (const number of numbers) {
    const before = seen.slice(0, seen.findIndex((response) => numberOf(response) === number) + 1);
    const rest = await resume(client, id, number);
    assert.equal(assemble([...before, ...rest]), whole, `${binding} from ${number}`);
  }
  const later = (await resume(client, id, numbers[0]!)).map((response) => numberOf(response)!);
  assert.ok(
    later.some((number) => number.startsWith("2.")),
    later.join(" "),
  );
  for (const [at, number] of later.entries()) {
    const rest = await resume(client, id, number);
    assert.deepEqual(rest.map(numberOf), later.slice(at + 1), `${binding} from ${number}: no gap, no repeat`);
  }
}

function resume(client: RemoteClient, id: string, from: string): Promise<StreamResponse[]> {
  const serviceParameters = { "A2A-Extensions": "urn:weft:a2a:hop:1", "last-event-id": from };
  return Array.fromAsync(client.resubscribeTask({ tenant: "", id }, { serviceParameters }));
}

function numberOf({ payload }: StreamResponse): string | undefined {
  if (payload?.$case !== "artifactUpdate" && payload?.$case !== "statusUpdate") return undefined;
  const hop = payload.value.metadata?.["urn:weft:a2a:hop:1"] as { eventNumber?: string } | undefined;
  return hop?.eventNumber;
}

/** The text as any A2A client puts it together. */
function assemble(responses: readonly StreamResponse[]): string {
  const texts = new Map<string, string>();
  for (const { payload } of responses) {
    if (payload?.$case === "task") {
      texts.clear();
      for (const artifact of payload.value.artifacts)
        texts.set(artifact.artifactId, textOf({ artifacts: [artifact] } as unknown as Task));
    }
    if (payload?.$case !== "artifactUpdate" || !payload.value.artifact) continue;
    const { artifact, append } = payload.value;
    const text = textOf({ artifacts: [artifact] } as unknown as Task);
    texts.set(artifact.artifactId, append ? (texts.get(artifact.artifactId) ?? "") + text : text);
  }
  return [...texts.values()].join("");
}

test(
  "killed in a tool that honours no key, the outcome is unknown and the tool is not run again",
  { timeout },
  async () => {
    const files = newFiles();
    const first = await start(files);
    const launched = first.line((line) => line === "launched");
    let id = "";
    {
      await using client = await open(first, "careful");
      const task = await client.sendMessage(requestOf("go"));
      id = "status" in task ? task.id : "";
      await launched;
      await first.kill();
    }
    const second = await start(files);
    await using client = await open(second, "careful");
    const task = await settled(client, id);
    assert.equal(task.status?.state, TaskState.TASK_STATE_COMPLETED);
    assert.match(textOf(task), /outcome is unknown/);
    assert.equal(lines(files).filter((line) => line === "launched").length, 1);
    await second.kill();
  },
);

test(
  "an owner that was only paused is refused at its next write",
  { timeout, skip: process.platform === "win32" },
  async () => {
    const files = newFiles();
    const first = await start(files, "1000", "wait");
    const begun = first.line((line) => line.startsWith("first "));
    await using client = await open(first, "paused");
    const task = await client.sendMessage(requestOf("go"));
    assert.ok("status" in task);
    await begun;
    process.kill(first.child.pid!, "SIGSTOP");
    const second = await start(files, "1000");
    await using other = await open(second, "paused");
    const done = await settled(other, task.id);
    assert.equal(textOf(done), "through");
    process.kill(first.child.pid!, "SIGCONT");
    first.child.stdin!.write("go on\n");
    // It reads the task where it stands now: not in its own hands.
    await assert.doesNotReject(async () => {
      for (;;) {
        const seen = await client.getTask({ tenant: "", id: task.id });
        if (seen.status?.state === TaskState.TASK_STATE_COMPLETED) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    const seconds = lines(files).filter((line) => line.startsWith("second "));
    assert.deepEqual(
      seconds,
      [`second ${second.child.pid}`],
      "the step after the pause was done by the new owner only",
    );
    assert.deepEqual(
      await other.getTask({ tenant: "", id: task.id }),
      done,
      "the former owner changed nothing",
    );
    assert.ok(existsSync(files.database));
    await Promise.all([first.kill(), second.kill()]);
  },
);

test(
  "a notification that was due when the process died is sent after the restart, under its id and in its trace",
  { timeout },
  async () => {
    const posts: IncomingHttpHeaders[] = [];
    const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const hook = createServer((request, response) => {
      request.resume();
      // The first is refused for now: it is to be tried again much later than this test takes.
      response.writeHead(posts.push(request.headers) === 1 ? 503 : 200).end();
      arrived[posts.length - 1]?.resolve();
    }).listen(0, "127.0.0.1");
    await once(hook, "listening");
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    const config = { tenant: "", taskId: "", id: "hook", url, token: "", authentication: undefined };
    const files = newFiles();
    const first = await start(files);
    {
      await using client = await open(first, "worker");
      const request = requestOf("q");
      const configuration = { ...request.configuration!, taskPushNotificationConfig: config };
      await client.sendMessage({ ...request, configuration });
      await arrived[0]!.promise;
      await first.kill();
    }
    const second = await start(files);
    await arrived[1]!.promise;
    const [refused, sent] = posts;
    assert.equal(sent!["webhook-id"], refused!["webhook-id"]);
    const traceId = (headers: IncomingHttpHeaders): string => String(headers["traceparent"]).split("-")[1]!;
    assert.equal(traceId(sent!), traceId(refused!));
    await using store = sqliteStore(files.database);
    while ((await store.listDuePush("worker")).length > 0)
      await new Promise((resolve) => setImmediate(resolve));
    assert.equal(posts.length, 2, "what has arrived is not due any more");
    await second.kill();
    hook.closeAllConnections();
    hook.close();
  },
);
