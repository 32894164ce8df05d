/** The official kit's requirements for what operations do, on every binding; each title names those that it holds. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { Role, StreamResponse, TaskState } from "@a2a-js/sdk";
import type { Task } from "@a2a-js/sdk";
import { connect } from "@weft/runtime";
import type { RemoteClient, Service } from "@weft/runtime";
import {
  bindings,
  holds,
  pushConfig,
  rejects,
  requestOf,
  startKitService,
  startReceiver,
  versioned,
} from "./kit-suite.ts";

let service: Service;
before(async () => {
  service = await startKitService();
});
after(() => service.drain({ timeoutMs: 1_000 }));

const list = { tenant: "", contextId: "", status: 0, pageToken: "", statusTimestampAfter: undefined };

async function send(client: RemoteClient, ...given: Parameters<typeof requestOf>): Promise<Task> {
  const result = await client.sendMessage(requestOf(...given));
  assert.ok("status" in result);
  return result;
}

const stateOf = ({ payload }: StreamResponse): TaskState | undefined =>
  payload?.$case === "statusUpdate" || payload?.$case === "task" ? payload.value.status?.state : undefined;

for (const binding of bindings) {
  describe(`over ${binding}`, () => {
    let client: RemoteClient;
    before(async () => {
      client = await connect(service.url, { binding });
    });
    after(() => client[Symbol.asyncDispose]());

    holds(
      "CORE-SEND-001 CORE-EXECUTION-MODE-001 CORE-GET-001 CORE-MULTI-001a CORE-MULTI-003 DM-TASK-001 DM-TASK-002 DM-STATUS-001",
      "a message is answered with its finished task, under ids of the service's",
      async () => {
        const [one, two] = [await send(client, "tck-complete-task"), await send(client, "tck-complete-task")];
        assert.equal(one.status?.state, TaskState.TASK_STATE_COMPLETED);
        assert.ok(
          one.contextId !== "" && one.id !== "" && one.id !== two.id && one.contextId !== two.contextId,
        );
        const again = await client.getTask({ tenant: "", id: one.id });
        assert.deepEqual([again.id, again.status?.state], [one.id, one.status?.state]);
      },
    );

    holds(
      "CORE-EXECUTION-MODE-002",
      "a message that is not to be waited for is answered at once",
      async () => {
        const task = await send(client, "test-resubscribe-message-id", {}, { returnImmediately: true });
        assert.ok(
          [TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING].includes(task.status!.state),
        );
      },
    );

    holds(
      "CORE-SEND-002 CORE-CANCEL-002 STREAM-SUB-003",
      "a task that is over takes no message, no cancel and no subscriber",
      async () => {
        const { id } = await send(client, "tck-complete-task");
        await rejects(send(client, "tck-complete-task", { taskId: id }), /UNSUPPORTED_OPERATION/);
        await rejects(client.cancelTask({ tenant: "", id, metadata: undefined }), /TASK_NOT_CANCELABLE/);
        await rejects(Array.fromAsync(client.resubscribeTask({ tenant: "", id })), /UNSUPPORTED_OPERATION/);
      },
    );

    holds("CORE-SEND-003", "a media type that the card does not name is refused", async () => {
      const part = {
        content: { $case: "raw", value: Buffer.from("x") },
        metadata: undefined,
        filename: "",
      } as const;
      const parts = [{ ...part, mediaType: "application/x-unsupported" }];
      await rejects(send(client, "tck-complete-task", { parts }), /CONTENT_TYPE_NOT_SUPPORTED/);
    });

    holds(
      "CORE-STREAM-001 CORE-STREAM-003 STREAM-ORDER-001",
      "a stream begins with the task, tells its life in order, and ends with its end",
      async () => {
        const events = await Array.fromAsync(client.sendMessageStream(requestOf("tck-stream-003")));
        const cases = events.map(({ payload }) => payload!.$case);
        assert.equal(cases[0], "task");
        // The first snapshot may show the task submitted or working already.
        const states = [...new Set(events.map(stateOf).filter((state) => state !== undefined))];
        assert.deepEqual(states.slice(-2), [TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_COMPLETED]);
        assert.equal(states.toSorted((a, b) => a - b).join(), states.join());
        assert.ok(cases.includes("artifactUpdate"));
        assert.equal(stateOf(events.at(-1)!), TaskState.TASK_STATE_COMPLETED);
      },
    );

    holds("CORE-STREAM-002", "a stream of a message is that message, and no more", async () => {
      const events = await Array.fromAsync(client.sendMessageStream(requestOf("tck-stream-002")));
      assert.deepEqual(
        events.map(({ payload }) => payload?.$case),
        ["message"],
      );
    });

    holds("DM-MSG-001", "a message as the answer has an id, a role, a context and parts", async () => {
      const answer = await client.sendMessage(requestOf("tck-message-response"));
      assert.ok("parts" in answer, "a message, not a task");
      assert.match(answer.messageId, /./);
      assert.match(answer.contextId, /./);
      assert.equal(answer.role, Role.ROLE_AGENT);
      assert.deepEqual(
        answer.parts.map(({ content }) => content),
        [{ $case: "text", value: "Direct message response" }],
      );
    });

    holds("STREAM-SUB-002", "a subscriber stays through a question, until the task is over", async () => {
      const { id } = await send(client, "tck-input-required");
      const events = client.resubscribeTask({ tenant: "", id });
      await events.next();
      await send(client, "tck-complete-task", { taskId: id });
      const rest = await Array.fromAsync(events);
      assert.equal(stateOf(rest.at(-1)!), TaskState.TASK_STATE_COMPLETED);
    });

    holds(
      "STREAM-SUB-001 STREAM-SUB-002 STREAM-ORDER-002 STREAM-ORDER-003 STREAM-ORDER-004",
      "all subscribers get the task first and then the same events, whoever leaves",
      async () => {
        const { id } = await send(client, "test-resubscribe-message-id", {}, { returnImmediately: true });
        const subscribe = () => client.resubscribeTask({ tenant: "", id });
        const [one, two, leaver] = [subscribe(), subscribe(), subscribe()];
        const heads = await Promise.all([one.next(), two.next(), leaver.next()]);
        assert.ok(
          heads.every(({ value }) => value?.payload?.$case === "task" && value.payload.value.id === id),
        );
        await leaver.return();
        const [rest, same] = await Promise.all([Array.fromAsync(one), Array.fromAsync(two)]);
        assert.deepEqual(rest, same);
        assert.equal(stateOf(rest.at(-1)!), TaskState.TASK_STATE_COMPLETED);
      },
    );

    holds(
      "CORE-GET-002 CORE-CANCEL-003 STREAM-SUB-004 CORE-MULTI-004 CORE-ERR-001",
      "a task that is not there is named as such, whatever is asked of it",
      async () => {
        const id = crypto.randomUUID();
        for (const call of [
          () => client.getTask({ tenant: "", id }),
          () => client.cancelTask({ tenant: "", id, metadata: undefined }),
          () => Array.fromAsync(client.resubscribeTask({ tenant: "", id })),
          () => send(client, "tck-complete-task", { taskId: id }),
        ])
          await rejects(call(), /TASK_NOT_FOUND/);
      },
    );

    holds("CORE-CANCEL-001", "a task that waits can be canceled", async () => {
      const { id, status } = await send(client, "tck-input-required");
      assert.equal(status?.state, TaskState.TASK_STATE_INPUT_REQUIRED);
      const canceled = await client.cancelTask({ tenant: "", id, metadata: undefined });
      assert.equal(canceled.status?.state, TaskState.TASK_STATE_CANCELED);
    });

    holds(
      "CORE-LIST-001 CORE-LIST-002 CORE-LIST-003 CORE-LIST-004 CORE-LIST-005",
      "tasks are listed newest first, page by page, without artifacts unless asked for",
      async () => {
        const contextId = crypto.randomUUID();
        for (let count = 0; count < 3; count++) await send(client, "tck-artifact-text", { contextId });
        const first = await client.listTasks({ ...list, contextId, pageSize: 2 });
        const second = await client.listTasks({
          ...list,
          contextId,
          pageSize: 2,
          pageToken: first.nextPageToken,
        });
        assert.deepEqual([first.tasks.length, second.tasks.length, second.nextPageToken], [2, 1, ""]);
        const tasks = [...first.tasks, ...second.tasks];
        assert.equal(new Set(tasks.map(({ id }) => id)).size, 3);
        const times = tasks.map(({ status }) => Date.parse(status!.timestamp!));
        assert.deepEqual(
          times,
          times.toSorted((a, b) => b - a),
        );
        assert.ok(tasks.every(({ artifacts }) => artifacts.length === 0));
        const full = await client.listTasks({ ...list, contextId, includeArtifacts: true });
        assert.ok(full.tasks.every(({ artifacts }) => artifacts.length === 1));
      },
    );

    holds(
      "CORE-MULTI-002a CORE-MULTI-005 CORE-MULTI-006",
      "a caller's context is kept, found by the task, and not mixed with another",
      async () => {
        const contextId = crypto.randomUUID();
        const asked = await send(client, "tck-input-required", { contextId });
        assert.equal(asked.contextId, contextId);
        await rejects(
          send(client, "tck-complete-task", { taskId: asked.id, contextId: "other" }),
          /invalid_argument|TASK_NOT_FOUND/,
        );
        const done = await send(client, "tck-complete-task", { taskId: asked.id });
        assert.deepEqual([done.id, done.contextId], [asked.id, contextId]);
      },
    );

    holds(
      "CORE-HIST-001 CORE-HIST-002 CORE-HIST-003 CORE-HIST-005 CORE-HIST-006 DM-MSG-002",
      "history is as long as asked, in order, and says what was said",
      async () => {
        const none = await send(client, "tck-input-required", {}, { historyLength: 0 });
        assert.deepEqual(none.history, []);
        await send(client, "tck-complete-task", { taskId: none.id });
        const one = await client.getTask({ tenant: "", id: none.id, historyLength: 1 });
        assert.ok(one.history.length <= 1);
        assert.deepEqual((await client.getTask({ tenant: "", id: none.id, historyLength: 0 })).history, []);
        const { history } = await client.getTask({ tenant: "", id: none.id });
        const said = history.filter(({ role }) => role === Role.ROLE_USER);
        assert.match(said[0]!.messageId, /^tck-input-required/);
        assert.match(said[1]!.messageId, /^tck-complete-task/);
        assert.ok(history.every(({ messageId, parts }) => messageId !== "" && parts.length > 0));
      },
    );

    holds(
      "DM-PART-001 DM-ART-001",
      "artifacts hold text, bytes, references and data, each part one of them",
      async () => {
        for (const [prefix, kind] of [
          ["tck-artifact-text", "text"],
          ["tck-artifact-file", "raw"],
          ["tck-artifact-file-url", "url"],
          ["tck-artifact-data", "data"],
        ]) {
          const { artifacts } = await send(client, prefix!);
          assert.equal(artifacts.length, 1);
          assert.notEqual(artifacts[0]!.artifactId, "");
          assert.deepEqual(
            artifacts[0]!.parts.map(({ content }) => content?.$case),
            [kind],
          );
        }
      },
    );

    holds("CORE-ERR-002 DM-SERIAL-004", "what lacks a required member is refused", async () => {
      await rejects(client.sendMessage({ ...requestOf("x"), message: undefined }), /invalid_argument/);
      await rejects(send(client, "x", { parts: [] }), /invalid_argument/);
      await rejects(send(client, "x", { messageId: "" }), /invalid_argument/);
      await rejects(send(client, "x", { role: Role.ROLE_UNSPECIFIED }), /invalid_argument/);
    });

    holds(
      "PUSH-CREATE-001 PUSH-CREATE-002 PUSH-GET-001 PUSH-GET-002 PUSH-LIST-001 PUSH-DEL-001 PUSH-DEL-002 CORE-CAP-001",
      "where the card declares push, configurations are kept, read, listed and deleted",
      async () => {
        const { transport, card } = client;
        assert.equal(card.capabilities?.pushNotifications, true);
        const { id: taskId } = await send(client, "tck-input-required");
        const config = pushConfig(taskId, "https://example.com/hook");
        const key = {
          tenant: "",
          taskId,
          id: (await transport.createTaskPushNotificationConfig(config, versioned)).id,
        };
        assert.equal((await transport.getTaskPushNotificationConfig(key, versioned)).url, config.url);
        const page = { tenant: "", taskId, pageSize: 0, pageToken: "" };
        assert.equal((await transport.listTaskPushNotificationConfig(page, versioned)).configs.length, 1);
        await transport.deleteTaskPushNotificationConfig(key, versioned);
        await transport.deleteTaskPushNotificationConfig(key, versioned);
        assert.equal((await transport.listTaskPushNotificationConfig(page, versioned)).configs.length, 0);
        await rejects(transport.getTaskPushNotificationConfig(key, versioned), /not_found|TASK_NOT_FOUND/);
      },
    );

    holds(
      "PUSH-DELIVER-001 PUSH-DELIVER-002 PUSH-DELIVER-003",
      "a change of state is POSTed with the login that was given, as a stream response",
      async () => {
        await using receiver = await startReceiver();
        const { id: taskId } = await send(client, "tck-input-required");
        const authentication = { scheme: "Bearer", credentials: "secret" };
        const config = { ...pushConfig(taskId, receiver.url), authentication };
        await client.transport.createTaskPushNotificationConfig(config, versioned);
        await send(client, "tck-complete-task", { taskId });
        const { headers, body } = await receiver.received;
        assert.equal(headers["authorization"], "Bearer secret");
        const { payload } = StreamResponse.fromJSON(JSON.parse(body));
        assert.ok(payload?.$case === "statusUpdate" && payload.value.taskId === taskId);
        assert.equal(payload.value.status?.state, TaskState.TASK_STATE_COMPLETED);
      },
    );

    holds("CORE-CAP-001", "where the card declares no push, all of it is refused", async () => {
      await using silent = await startKitService({ push: false });
      await using other = await connect(silent.url, { binding });
      const { transport, card } = other;
      assert.notEqual(card.capabilities?.pushNotifications, true);
      const { id: taskId } = await send(other, "tck-input-required");
      const key = { tenant: "", taskId, id: "c1" };
      const page = { tenant: "", taskId, pageSize: 0, pageToken: "" };
      const config = pushConfig(taskId, "https://example.com/hook");
      for (const call of [
        () => transport.createTaskPushNotificationConfig(config, versioned),
        () => transport.getTaskPushNotificationConfig(key, versioned),
        () => transport.listTaskPushNotificationConfig(page, versioned),
        () => transport.deleteTaskPushNotificationConfig(key, versioned),
        () => send(other, "tck-complete-task", {}, { taskPushNotificationConfig: config }),
      ])
        await rejects(call(), /PUSH_NOTIFICATION_NOT_SUPPORTED/);
    });

    holds("CORE-CAP-003", "an extended card that the card does not declare is refused", async () => {
      await rejects(
        client.transport.getExtendedAgentCard({ tenant: "" }, versioned),
        /UNSUPPORTED_OPERATION/,
      );
    });

    holds(
      "VER-SERVER-002 VER-CLIENT-001 VER-CLIENT-002",
      "a version that is not spoken is refused, and patch numbers do not count",
      async () => {
        const ask = (version: string) =>
          client.transport.listTasks(list, { serviceParameters: { "a2a-version": version } });
        await rejects(ask("9.9"), /VERSION_NOT_SUPPORTED/);
        await ask("1.0.5");
        await client.listTasks(list);
      },
    );
  });
}
