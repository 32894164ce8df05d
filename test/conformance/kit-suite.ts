/** What the conformance tests share: the kit's agent as a service, requests as the kit makes them, titles that name requirements. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Role } from "@a2a-js/sdk";
import type { Message, SendMessageConfiguration, SendMessageRequest } from "@a2a-js/sdk";
import { serve } from "@weft/runtime";
import type { Binding, Service } from "@weft/runtime";
import { createKitAgent } from "./kit-agent.ts";

export const bindings: readonly Binding[] = ["jsonrpc", "rest", "ws", "grpc"];

/** What the SDK's client adds to a call, for calls that pass it by. */
export const versioned = { serviceParameters: { "a2a-version": "1.0" } };

/** A test that holds requirements of the kit, which its title names. */
export function holds(ids: string, title: string, body: () => Promise<void>): void {
  void test(`[${ids}] ${title}`, { timeout: 20_000 }, body);
}

export function startKitService(): Promise<Service> {
  const card = { inputModes: ["text/plain", "application/json"] };
  return serve(createKitAgent(300), { bindings, card, signals: false });
}

let counter = 0;

/** An id that tells the agent what to do. */
export function messageId(prefix: string): string {
  return `${prefix}-${counter++}`;
}

export function requestOf(
  prefix: string,
  more: Partial<Message> = {},
  configuration: Partial<SendMessageConfiguration> = {},
): SendMessageRequest {
  return {
    tenant: "",
    message: {
      messageId: messageId(prefix),
      contextId: "",
      taskId: "",
      role: Role.ROLE_USER,
      parts: [
        { content: { $case: "text", value: "Hello" }, metadata: undefined, filename: "", mediaType: "" },
      ],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
      ...more,
    },
    configuration: {
      acceptedOutputModes: [],
      taskPushNotificationConfig: undefined,
      returnImmediately: false,
      ...configuration,
    },
    metadata: undefined,
  };
}

export const rejects = (call: Promise<unknown>, reason: RegExp): Promise<void> =>
  assert.rejects(call, (error: Error & { code?: string; details?: { reason?: string } }) => {
    assert.match(`${error.code} ${error.details?.reason}`, reason, error.message);
    return true;
  });
