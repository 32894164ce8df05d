import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TaskState } from "@a2a-js/sdk";
import { captureSpans, SpanKind } from "@weft/tracing/internal";
import { withSpan } from "@weft/tracing";
import { createSendRequest } from "../src/a2a/send-request.ts";
import { createMessage, defineAgent } from "../src/agent/index.ts";
import { connect, createRemoteAgent } from "../src/index.ts";
import { sendRequest } from "./requests.ts";
import {
  bindings,
  echo,
  gate,
  hasCode,
  heldAgent,
  newContext,
  recall,
  say,
  startService,
  textOfTurn,
} from "./support.ts";

const options = { timeout: 20_000 };

for (const binding of bindings) {
  describe(`over ${binding}`, options, () => {
    test("a question is answered", async () => {
      await using service = await startService(echo);
      await using client = await connect(service.url, { binding });
      assert.equal(client.binding, binding);
      assert.equal(client.card.name, "echo");
      assert.equal(await client.ask("hello big world"), "hello big world ");
    });

    test("a stream shows each delta before the reply is done", async () => {
      const { agent, release } = heldAgent(["two"], ["one "]);
      await using service = await startService(agent);
      await using client = await connect(service.url, { binding });
      const cases: string[] = [];
      let text = "";
      for await (const { payload } of client.sendMessageStream(sendRequest("go"))) {
        cases.push(payload!.$case);
        if (payload?.$case === "artifactUpdate") {
          const part = payload.value.artifact!.parts[0]?.content;
          text += part?.$case === "text" ? part.value : "";
          if (text === "one ") release();
        }
      }
      assert.equal(text, "one two");
      assert.equal(cases[0], "task");
      assert.equal(cases.at(-1), "statusUpdate");
    });

    test("cancel reaches the running agent's signal", async () => {
      const aborted = gate<boolean>();
      const hangs = defineAgent({
        name: "hangs",
        async *respond(_request, { signal }) {
          yield "…";
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          aborted.resolve(true);
        },
      });
      await using service = await startService(hangs);
      await using client = await connect(service.url, { binding });
      for await (const { payload } of client.sendMessageStream(sendRequest("go"))) {
        if (payload?.$case !== "artifactUpdate") continue;
        const task = await client.cancelTask({ tenant: "", id: payload.value.taskId, metadata: undefined });
        assert.equal(task.status?.state, TaskState.TASK_STATE_CANCELED);
      }
      assert.equal(await aborted.promise, true);
    });

    test("errors have the same code on every binding", async () => {
      await using service = await startService(echo);
      await using client = await connect(service.url, { binding });
      await assert.rejects(client.getTask({ tenant: "", id: "none" }), hasCode("not_found"));
      const empty = { ...sendRequest("x"), message: { ...sendRequest("x").message!, parts: [] } };
      await assert.rejects(client.sendMessage(empty), hasCode("invalid_argument"));
      const task = await client.sendMessage(sendRequest("x"));
      assert.ok("status" in task);
      const cancel = { tenant: "", id: task.id, metadata: undefined };
      await assert.rejects(client.cancelTask(cancel), hasCode("failed_precondition"));
      const subscribe = async (): Promise<unknown> =>
        Array.fromAsync(client.resubscribeTask({ tenant: "", id: task.id }));
      await assert.rejects(subscribe(), hasCode("unimplemented"));
    });

    test("an agent that throws fails its task with nothing of its stack or words", async () => {
      const secret = "SECRET at /home/me/agent.ts:1:1";
      const throws = defineAgent({
        name: "throws",
        async *respond() {
          yield "";
          throw new TypeError(secret);
        },
      });
      await using service = await startService(throws);
      await using client = await connect(service.url, { binding });
      const task = await client.sendMessage(sendRequest("go"));
      assert.ok("status" in task && task.status?.state === TaskState.TASK_STATE_FAILED);
      assert.doesNotMatch(JSON.stringify(task), /SECRET|agent\.ts/);
      await assert.rejects(client.ask("go"), hasCode("internal"));
    });

    test("a client that leaves in mid-stream does not stop the task", async () => {
      const release = gate();
      const patient = defineAgent({
        name: "patient",
        async *respond(_request, { signal }) {
          yield "one ";
          await release.promise;
          yield signal.aborted ? "aborted" : "two";
        },
      });
      await using service = await startService(patient);
      await using client = await connect(service.url, { binding });
      let taskId = "";
      for await (const { payload } of client.sendMessageStream(sendRequest("go"))) {
        if (payload?.$case === "task") taskId = payload.value.id;
        if (payload?.$case === "artifactUpdate") break;
      }
      const events = client.resubscribeTask({ tenant: "", id: taskId });
      await events.next();
      release.resolve();
      await Array.fromAsync(events);
      const task = await client.getTask({ tenant: "", id: taskId });
      assert.equal(task.status?.state, TaskState.TASK_STATE_COMPLETED);
      const part = task.artifacts[0]!.parts[0]!.content;
      assert.ok(part?.$case === "text" && part.value === "one two");
    });

    test("the trace context that a message brings is its call's, and stands in no history", async () => {
      using captured = captureSpans();
      await using service = await startService(echo);
      await using client = await connect(service.url, { binding });
      const request = createSendRequest([createMessage("hi")], { isWeft: false, hop: { hops: 3 } });
      const task = await client.sendMessage(request);
      assert.ok("history" in task);
      const sent = JSON.stringify(task.history[0]!.metadata);
      assert.match(sent, /"hops":3/);
      assert.doesNotMatch(sent, /traceparent/);
      const find = (kind: SpanKind) => captured.spans().find((span) => span.kind === kind)!;
      assert.equal(find(SpanKind.SERVER).parentSpanId, find(SpanKind.CLIENT).spanId);
    });

    test("a call is one trace: the server's span is the child of the client's", async () => {
      using captured = captureSpans();
      await using service = await startService(echo);
      await using client = await connect(service.url, { binding });
      let traceId = "";
      await withSpan("caller", async (span) => {
        traceId = span.traceId;
        await client.ask("hello");
        await Array.fromAsync(client.sendMessageStream(sendRequest("again")));
      });
      const spans = captured.spans();
      assert.ok(spans.every((span) => span.traceId === traceId));
      for (const method of ["SendMessage", "SendStreamingMessage"]) {
        const ask = spans.filter((span) => span.name === method);
        if (binding === "grpc" || ask.length > 0) assert.equal(ask.length, 2, method);
        const [client_, server] = [
          ask.find(({ kind }) => kind === SpanKind.CLIENT),
          ask.find(({ kind }) => kind === SpanKind.SERVER),
        ];
        assert.equal(server!.parentSpanId, client_!.spanId);
        assert.equal(server!.attributes["weft.a2a.binding"], binding);
        const turn = spans.find(
          ({ name, parentSpanId }) => name === "invoke_agent echo" && parentSpanId === server!.spanId,
        );
        assert.ok(turn, `the turn is the child of ${method}`);
      }
    });

    test("a remote agent keeps its conversation and is sent only what it has not seen", async () => {
      await using service = await startService(recall);
      await using remote = await createRemoteAgent(service.url, { binding });
      const [one, two] = [newContext(), newContext()];
      assert.equal(textOfTurn(await say(remote, "a", one)), "a");
      const [first] = await Promise.all([say(remote, "b", one, 2), say(remote, "x", two)]);
      assert.equal(textOfTurn(first), "a|[a]|b");
      assert.equal(textOfTurn(await say(remote, "y", two, 2)), "x|[x]|y");
    });

    test("a turn given up is cancelled on the far side", async () => {
      const started = gate();
      const aborted = gate<string>();
      const hangs = defineAgent({
        name: "hangs",
        async *respond(_request, { signal }) {
          signal.addEventListener("abort", () => aborted.resolve("cancelled"));
          started.resolve();
          yield "…";
          await new Promise(() => undefined);
        },
      });
      await using service = await startService(hangs);
      await using remote = await createRemoteAgent(service.url, { binding });
      const controller = new AbortController();
      const turn = say(remote, "go", newContext({ signal: controller.signal }));
      await started.promise;
      controller.abort();
      await assert.rejects(turn, (error: Error) => error.name === "AbortError");
      assert.equal(await aborted.promise, "cancelled");
    });

    test("a remote that hangs is given up at the turn's deadline", async () => {
      const hangs = defineAgent({
        name: "hangs",
        async *respond() {
          yield "…";
          await new Promise(() => undefined);
        },
      });
      await using service = await startService(hangs);
      await using remote = await createRemoteAgent(service.url, { binding, timeoutMs: 200 });
      await assert.rejects(say(remote, "go", newContext()), hasCode("deadline_exceeded"));
    });

    test("a service that shuts down under a turn is an error, not a silence", async () => {
      const started = gate();
      const hangs = defineAgent({
        name: "hangs",
        async *respond() {
          started.resolve();
          yield "…";
          await new Promise(() => undefined);
        },
      });
      const service = await startService(hangs);
      await using remote = await createRemoteAgent(service.url, { binding });
      const context = newContext();
      const turn = say(remote, "go", context);
      const failed = assert.rejects(turn, hasCode("unavailable"));
      await started.promise;
      await service.drain({ timeoutMs: 100 });
      await failed;
    });
  });
}
