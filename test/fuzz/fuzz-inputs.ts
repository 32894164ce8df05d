/** What a stranger may send: noise, JSON of any shape, and valid requests with something broken in them. */
import fc from "fast-check";

export type Json = unknown;

const methods = [
  "SendMessage",
  "SendStreamingMessage",
  "GetTask",
  "ListTasks",
  "CancelTask",
  "SubscribeToTask",
  "CreateTaskPushNotificationConfig",
  "GetTaskPushNotificationConfig",
  "ListTaskPushNotificationConfigs",
  "DeleteTaskPushNotificationConfig",
  "GetExtendedAgentCard",
];

export const anyJson: fc.Arbitrary<Json> = fc.jsonValue({ maxDepth: 4 });

const part = fc.oneof(
  fc.record({ text: fc.string() }),
  fc.record({ raw: fc.oneof(fc.base64String(), fc.string()), mediaType: fc.string() }),
  fc.record({ url: fc.webUrl() }),
  fc.record({ data: anyJson }),
  anyJson,
);

const hopValue = fc.record(
  {
    traceparent: fc.oneof(
      fc.string(),
      fc.constant("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ),
    budget: anyJson,
    deadline: fc.oneof(fc.double(), anyJson),
    hops: anyJson,
    variables: anyJson,
    conversationId: anyJson,
  },
  { requiredKeys: [] },
);

const message = fc.record(
  {
    messageId: fc.oneof(fc.uuid(), anyJson),
    contextId: fc.oneof(fc.constant(""), fc.string(), anyJson),
    taskId: fc.oneof(fc.constant(""), fc.string()),
    role: fc.oneof(fc.constantFrom("ROLE_USER", "ROLE_AGENT", "nobody", 1, 99), anyJson),
    parts: fc.oneof(fc.array(part, { maxLength: 4 }), anyJson),
    metadata: fc.oneof(fc.record({ "urn:weft:a2a:hop:1": fc.oneof(hopValue, anyJson) }), anyJson),
    extensions: anyJson,
    referenceTaskIds: anyJson,
  },
  { requiredKeys: [] },
);

const validMessage = fc.record({
  messageId: fc.uuid(),
  role: fc.constant("ROLE_USER"),
  parts: fc.array(fc.record({ text: fc.string() }), { minLength: 1, maxLength: 3 }),
});

const legacyPart = fc.oneof(
  fc.record({ text: fc.string() }),
  fc.record({
    file: fc.oneof(
      fc.record({ fileWithBytes: fc.oneof(fc.base64String(), anyJson), mimeType: fc.string() }),
      fc.record({ file_with_uri: fc.oneof(fc.webUrl(), anyJson), mime_type: anyJson }),
      anyJson,
    ),
  }),
  fc.record({ data: fc.oneof(fc.record({ data: anyJson }), anyJson) }),
  anyJson,
);

const legacyMessage = fc.record(
  {
    messageId: fc.oneof({ weight: 4, arbitrary: fc.uuid() }, anyJson),
    role: fc.oneof({ weight: 4, arbitrary: fc.constant("ROLE_USER") }, anyJson),
    content: fc.oneof({ weight: 4, arbitrary: fc.array(legacyPart, { maxLength: 4 }) }, anyJson),
    metadata: anyJson,
  },
  { requiredKeys: ["content"] },
);

const legacyPush = fc.record(
  { url: fc.oneof(fc.webUrl(), anyJson), authentication: fc.oneof(fc.record({ schemes: anyJson }), anyJson) },
  { requiredKeys: [] },
);

/** A body of A2A 0.3 over HTTP+JSON: right, half right, or anything. */
export const legacyBody: fc.Arbitrary<Json> = fc.oneof(
  fc.record(
    {
      message: legacyMessage,
      request: legacyMessage,
      configuration: fc.oneof(
        fc.record({ blocking: anyJson, historyLength: anyJson, pushNotification: legacyPush }),
        anyJson,
      ),
    },
    { requiredKeys: [] },
  ),
  fc.record({ pushNotificationConfig: fc.oneof(legacyPush, anyJson) }),
  fc.record({ config: fc.oneof(fc.record({ push_notification_config: legacyPush }), anyJson) }),
  anyJson,
);

/** An operation's parameters: right, half right, or anything. */
export const params: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ message: validMessage }),
  fc.record({ message }, { requiredKeys: [] }),
  fc.record(
    {
      id: fc.oneof(fc.string(), anyJson),
      taskId: anyJson,
      tenant: fc.oneof(fc.constant(""), fc.string(), anyJson),
      historyLength: anyJson,
      pageSize: anyJson,
      pageToken: anyJson,
      status: anyJson,
      contextId: anyJson,
      statusTimestampAfter: anyJson,
      configuration: anyJson,
    },
    { requiredKeys: [] },
  ),
  anyJson,
);

export const method: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...methods) },
  fc.constantFrom("message/send", "tasks/get", "__proto__", "constructor", "toString"),
  fc.string(),
);

const nested = fc.integer({ min: 1, max: 3_000 }).map((levels) => "[".repeat(levels) + "]".repeat(levels));

/** A text that may or may not be JSON. */
export const text = (json: fc.Arbitrary<Json>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: json.map((value) => JSON.stringify(value) ?? "") },
    {
      weight: 2,
      arbitrary: fc.tuple(json, fc.nat()).map(([value, at]) => cut(JSON.stringify(value) ?? "", at)),
    },
    nested,
    fc.string({ unit: "binary" }),
  );

function cut(whole: string, at: number): string {
  return whole.slice(0, whole.length === 0 ? 0 : at % whole.length);
}

export const version: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constant("1.0") },
  fc.constantFrom("", "0.3", "9", "1.0.1"),
);
