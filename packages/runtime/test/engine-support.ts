import assert from "node:assert/strict";
import { AgentCard } from "@a2a-js/sdk";
import type { Task } from "@a2a-js/sdk";
import type { ServerCallContext } from "@a2a-js/sdk/server";
import type { Agent } from "../src/agent/index.ts";
import { createCallContext } from "../src/server/call-context.ts";
import { TracedHandler } from "../src/server/traced-handler.ts";
import { TaskEngine } from "../src/task/task-engine.ts";
import type { TaskEngineOptions } from "../src/task/task-engine.ts";

/** An engine as a service has it, without bindings. */
export class TestEngine extends TracedHandler {
  readonly engine: TaskEngine;

  constructor(engine: TaskEngine) {
    super(engine);
    this.engine = engine;
  }

  override async sendMessage(...given: Parameters<TracedHandler["sendMessage"]>): Promise<Task> {
    const result = await super.sendMessage(...given);
    assert.ok("status" in result, "an engine answers with tasks");
    return result;
  }

  start(): void {
    this.engine.start();
  }

  drain(signal: AbortSignal): Promise<void> {
    return this.engine.drain(signal);
  }

  /** Resolves once nothing runs here. */
  async settled(): Promise<void> {
    while (this.engine.runningCount > 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

export function newEngine(agent: Agent, options: TaskEngineOptions = {}): TestEngine {
  return new TestEngine(new TaskEngine(agent, () => AgentCard.fromJSON({ name: agent.name }), options));
}

/** A call from this machine; `user`: who logged in. */
export function callContext(headers: Record<string, string> = {}, user?: string): ServerCallContext {
  return createCallContext({
    binding: "jsonrpc",
    headers: { "a2a-version": "1.0", ...headers },
    caller: { principal: user === undefined ? null : { name: user }, remoteAddress: "127.0.0.1" },
  });
}

export function textOf(task: Pick<Task, "artifacts">): string {
  const parts = task.artifacts.flatMap((artifact) => artifact.parts);
  return parts.map(({ content }) => (content?.$case === "text" ? content.value : "")).join("");
}
