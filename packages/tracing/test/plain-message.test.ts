import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DeferredJsonList } from "../src/content/deferred-json.ts";
import { toSchemaMessage } from "../src/content/message-schema.ts";
import type { RecordableMessage } from "../src/content/message-schema.ts";
import { PlainMessage } from "../src/content/plain-message.ts";
import { encodeLongTexts } from "../src/export/long-texts.ts";
import { OtlpWriter } from "../src/export/otlp-writer.ts";
import { spansOf } from "./support/decode-otlp.ts";
import { spanRecord } from "./support/span-record.ts";

const unit = fc.constantFrom("a", "é", "漢", "😀", "\ud800", '"', "\\", "\n", "\u0001", "\u007f");
const text = fc.oneof(fc.string({ unit, maxLength: 100 }), fc.string({ maxLength: 300 }));
const plain: fc.Arbitrary<RecordableMessage> = fc
  .record({
    id: text,
    role: fc.constantFrom("user", "assistant", "system", "tool"),
    name: fc.option(text, { nil: undefined }),
    content: text,
  })
  .map(({ name, ...message }) => (name === undefined ? message : { ...message, name }));

function listOf(messages: readonly RecordableMessage[]): DeferredJsonList {
  const list = new DeferredJsonList();
  for (const message of messages) {
    const item = PlainMessage.of(message);
    assert.ok(item !== undefined);
    list.add(item, item.bytes, message.id);
  }
  return list;
}

test("Plain messages are the JSON of their schema, as one text, in pieces and on the wire", () => {
  const key = "gen_ai.input.messages";
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 4 }), (messages) => {
      const list = listOf(messages);
      const json = JSON.stringify(messages.map(toSchemaMessage));
      assert.equal(list.toString(), json);
      assert.equal([...list.pieces()].join(""), json);
      const request = new OtlpWriter({}, "").write([spanRecord({ attributes: { [key]: list, after: "x" } })]);
      const [span] = spansOf(Buffer.concat(request));
      assert.deepEqual({ ...span?.attributes }, { [key]: json, after: "x" });
    }),
  );
});

test("A plain message counts its bytes as they are written, but for JSON's escapes", () => {
  for (const name of [undefined, "Zoë"]) {
    const message = { id: "m1", role: "assistant", content: "漢字 and more", ...(name && { name }) } as const;
    const bytes = Buffer.byteLength(JSON.stringify(toSchemaMessage(message)));
    assert.equal(PlainMessage.of(message)?.bytes, bytes);
  }
});

test("A long plain message is encoded ahead as it would be written", async () => {
  const list = listOf([{ id: "m1", role: "user", name: "Ann", content: '"漢😀'.repeat(100_000) }]);
  const pieces = (await encodeLongTexts([list])).get(list)?.pieces ?? [];
  assert.ok(Buffer.concat(pieces).equals(Buffer.from(list.toString())));
});

test("A message that says more than a text is no plain one", () => {
  const common = { id: "m1", role: "assistant", content: "text" } as const;
  assert.equal(PlainMessage.of({ ...common, content: [{ type: "text", text: "text" }] }), undefined);
  assert.equal(PlainMessage.of({ ...common, content: null }), undefined);
  assert.equal(PlainMessage.of({ ...common, finishReason: "stop" }), undefined);
  assert.equal(
    PlainMessage.of({ ...common, toolCalls: [{ id: "c", name: "f", arguments: "{}" }] }),
    undefined,
  );
  assert.equal(PlainMessage.of({ ...common, toolResponses: [{ toolCallId: "c", content: "r" }] }), undefined);
});
