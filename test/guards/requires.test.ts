import assert from "node:assert/strict";
import { test } from "node:test";
import { requires } from "../support/requires.ts";

test("what is not here is a reason to skip, what is here is none, and WEFT_REQUIRE turns the reason into a failure", (t) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  process.env = { PATH: "" };
  assert.match(String(requires("nats")), /^needs a NATS server: apt-get install nats-server/);

  process.env["WEFT_NATS_SERVER"] = process.execPath;
  assert.equal(requires("nats"), false);

  process.env = { PATH: "", WEFT_REQUIRE: "chromium,nats" };
  assert.throws(() => requires("nats"), /WEFT_REQUIRE names nats/);
  process.env["WEFT_REQUIRE"] = "gnats";
  assert.throws(() => requires("nats"), /WEFT_REQUIRE names gnats; it knows conversations, chromium/);
});
