import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, serve, sqliteStore } from "@weft/runtime";
import { ConversableAgent, GroupChat, tool } from "@weft/agents";
import type { Tool } from "@weft/agents";
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

test(
  "taken over, a served group asks no selector, no member's model and no tool again that its journal has",
  { timeout },
  async () => {
    const path = join(folder, "group.db");
    const ran: string[] = [];
    const reached = Promise.withResolvers<void>();
    type Scripted = ReturnType<typeof scriptedModel>;
    const makeTeam = (
      models: { selector: Scripted; ann: Scripted; bob: Scripted },
      isHeld: boolean,
    ): GroupChat => {
      const look = tool({ name: "look", description: "looks", execute: () => ran.push("look") && "seen" });
      const act = tool({
        name: "act",
        description: "acts",
        execute: async (_args, { idempotencyKey }) => {
          ran.push(`act ${idempotencyKey}`);
          if (!isHeld) return "acted";
          reached.resolve();
          return new Promise<string>(() => undefined);
        },
      });
      const member = (name: "ann" | "bob", tools: Tool[]): ConversableAgent =>
        new ConversableAgent({
          name,
          description: name,
          model: models[name],
          tools,
          humanInputMode: "NEVER",
        });
      const agents = [member("ann", [look]), member("bob", [act])];
      return new GroupChat({ name: "team", agents, selectorModel: models.selector, maxRound: 3 });
    };
    let id = "";
    const first = {
      selector: scriptedModel(["ann", "bob"]),
      ann: scriptedModel([{ toolCalls: [{ name: "look", arguments: {} }] }, "I looked."]),
      bob: scriptedModel([{ toolCalls: [{ name: "act", arguments: {} }] }]),
    };
    {
      const service = await serve(makeTeam(first, true), { store: sqliteStore(path), signals: false });
      await using client = await connect(service.url);
      const message = { ...request.message, messageId: "m2", contextId: "c2" };
      const task = await client.sendMessage({ ...request, message });
      id = "status" in task ? task.id : "";
      await reached.promise;
      await service.drain({ timeoutMs: 0 });
    }
    for (const model of Object.values(first)) model.done();
    const second = { selector: scriptedModel([]), ann: scriptedModel([]), bob: scriptedModel(["I acted."]) };
    await using service = await serve(makeTeam(second, false), { store: sqliteStore(path), signals: false });
    await using client = await connect(service.url);
    await Array.fromAsync(client.resubscribeTask({ tenant: "", id })).catch(() => []);
    const task = await client.getTask({ tenant: "", id });
    const texts = task.artifacts.flatMap(({ parts }) => parts.map(({ content }) => content?.value));
    assert.equal(texts.at(-1), "I acted.");
    for (const model of Object.values(second)) model.done();
    assert.equal(ran[0], "look");
    assert.equal(ran.length, 3, "only the step that was under way is done again");
    assert.equal(ran[1], ran[2], "under its key");
  },
);
