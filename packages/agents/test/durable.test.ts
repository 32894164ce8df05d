import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, serve, sqliteStore } from "@weft/runtime";
import { ConversableAgent, tool } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const timeout = 60_000;
const folder = mkdtempSync(join(tmpdir(), "weft-agents-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const request = {
  tenant: "",
  message: {
    messageId: "m1",
    contextId: "c1",
    taskId: "",
    role: 1,
    parts: [
      { content: { $case: "text" as const, value: "go" }, metadata: undefined, filename: "", mediaType: "" },
    ],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  },
  configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: true },
  metadata: undefined,
};

test(
  "taken over, an agent asks no model and runs no tool again that its journal has; an unknown outcome is told to the model",
  { timeout },
  async () => {
    const path = join(folder, "tasks.db");
    const ran: string[] = [];
    const reached = Promise.withResolvers<void>();
    const make = (model: ReturnType<typeof scriptedModel>, isHeld: boolean): ConversableAgent => {
      const quick = tool({
        name: "quick",
        description: "is quick",
        execute: () => ran.push("quick") && "done",
      });
      const launch = tool({
        name: "launch",
        description: "cannot be taken back",
        onUnknown: "fail",
        execute: async () => {
          ran.push("launch");
          reached.resolve();
          if (isHeld) await new Promise(() => undefined);
        },
      });
      return new ConversableAgent({ name: "pilot", model, tools: [quick, launch], humanInputMode: "NEVER" });
    };
    const first = scriptedModel([
      {
        text: "on it",
        toolCalls: [{ name: "quick", arguments: {} }],
        usage: { inputTokens: 3, outputTokens: 1 },
      },
      { toolCalls: [{ name: "launch", arguments: {} }] },
    ]);
    let id = "";
    {
      const service = await serve(make(first, true), { store: sqliteStore(path), signals: false });
      await using client = await connect(service.url);
      const task = await client.sendMessage(request);
      id = "status" in task ? task.id : "";
      await reached.promise;
      await service.drain({ timeoutMs: 0 });
    }
    const second = scriptedModel(["finished"]);
    await using _service = await serve(make(second, false), { store: sqliteStore(path), signals: false });
    await using client = await connect(_service.url);
    const events = await Array.fromAsync(client.resubscribeTask({ tenant: "", id })).catch(() => []);
    assert.ok(Array.isArray(events));
    const task = await client.getTask({ tenant: "", id });
    const texts = task.artifacts.flatMap(({ parts }) => parts.map(({ content }) => content?.value));
    assert.equal(texts.at(-1), "finished");
    assert.deepEqual(ran, ["quick", "launch"]);
    second.done();
    const [call] = second.calls;
    const told = call!.messages.flatMap(({ toolResponses = [] }) =>
      toolResponses.map(({ content }) => content),
    );
    assert.equal(told[0], "done");
    assert.match(told[1]!, /outcome is unknown/);
  },
);
