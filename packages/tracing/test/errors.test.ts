import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodes, WeftError } from "../src/index.ts";
import { isErrorCode } from "../src/internal.ts";

test("A WeftError has a code, says whether trying again may help, and keeps its cause to itself", () => {
  const cause = new TypeError("inner secret");
  const error = new WeftError("unavailable", "Start the collector.", { cause, details: { port: 4318 } });
  assert.ok(error instanceof Error);
  assert.deepEqual(
    [error.name, error.code, error.retryable, error.cause],
    ["WeftError", "unavailable", true, cause],
  );
  assert.equal(JSON.stringify(error), '{"code":"unavailable","message":"Start the collector."}');
  assert.deepEqual(error.details, { port: 4318 });
  assert.equal(new WeftError("internal", "x").retryable, false);
  assert.equal(new WeftError("internal", "x", { retryable: true }).retryable, true);
});

test("Aborted errors have the name that everybody checks for", () => {
  assert.equal(new WeftError("aborted", "stopped").name, "AbortError");
});

test("Anything thrown becomes a WeftError: itself, an abort, a timeout, or the given code", () => {
  const error = new WeftError("not_found", "no");
  assert.equal(WeftError.from(error), error);
  assert.equal(WeftError.from(new DOMException("a", "AbortError")).code, "aborted");
  assert.equal(WeftError.from(new DOMException("t", "TimeoutError")).code, "deadline_exceeded");
  assert.deepEqual(WeftError.from("text", "tool_failed").toJSON(), { code: "tool_failed", message: "text" });
  assert.equal(WeftError.from(undefined).code, "internal");
});

test("instanceof holds over copies of the package, and for subclasses only for their own", () => {
  class Special extends WeftError {}
  assert.ok(new Special("internal", "x") instanceof WeftError);
  assert.equal(new WeftError("internal", "x") instanceof Special, false);
  assert.equal(new Error("x") instanceof WeftError, false);
  assert.equal(WeftError[Symbol.hasInstance](null), false);
});

test("The code table is closed", () => {
  assert.equal(isErrorCode("not_found"), true);
  assert.equal(isErrorCode("toString"), false);
  for (const meaning of Object.values(errorCodes)) assert.match(meaning, /^[A-Z].*\.$/);
});
