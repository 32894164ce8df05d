/** What the conformance tests share: the kit's agent as a service, requests as the kit makes them, titles that name requirements. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Role } from "@a2a-js/sdk";
import type {
  Message,
  SendMessageConfiguration,
  SendMessageRequest,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import { serve } from "@weft/runtime";
import type { Binding, ServeOptions, Service } from "@weft/runtime";
import { createKitAgent, respondWith } from "./kit-agent.ts";

export const bindings: readonly Binding[] = ["jsonrpc", "rest", "ws", "grpc"];

/** What the SDK's client adds to a call, for calls that pass it by. */
export const versioned = { serviceParameters: { "a2a-version": "1.0" } };

/** A test that holds requirements of the kit, which its title names. */
export function holds(ids: string, title: string, body: () => Promise<void>): void {
  void test(`[${ids}] ${title}`, { timeout: 20_000 }, body);
}

export function startKitService(options: ServeOptions = {}): Promise<Service> {
  const card = { inputModes: ["text/plain", "application/json"] };
  const push = { urls: { allowHosts: ["127.0.0.1"] } };
  return serve(createKitAgent(300), { bindings, card, push, respondWith, signals: false, ...options });
}

/** Takes one notification. */
export async function startReceiver(): Promise<
  AsyncDisposable & {
    readonly url: string;
    readonly received: Promise<{ readonly headers: IncomingHttpHeaders; readonly body: string }>;
  }
> {
  const { promise: received, resolve } = Promise.withResolvers<{
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      response.end();
      resolve({ headers: request.headers, body });
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export function pushConfig(taskId: string, url: string): TaskPushNotificationConfig {
  return { tenant: "", taskId, id: "c1", url, token: "t", authentication: undefined };
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
