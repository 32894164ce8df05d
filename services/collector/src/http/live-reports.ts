/** `POST /api/live`: what runs in a process, told every 250 ms. */
import { WeftError } from "@weft/tracing";
import type { LiveAnswer, LiveReport, LiveText } from "@weft/tracing/http";
import type { Store } from "../store/store.ts";
import { requireMethod, sendJson } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { HttpError } from "./http-error.ts";
import { readBody } from "./read-body.ts";
import type { BodyLimits, ByteBudget } from "./read-body.ts";

export async function takeLiveReport(
  exchange: Exchange,
  store: Store,
  limits: BodyLimits,
  budget: ByteBudget,
): Promise<void> {
  requireMethod(exchange, "POST");
  // Anything else a browser would post for a foreign page without asking.
  const type = exchange.request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new HttpError(415, "invalid_argument", "content-type must be application/json");
  const body = await readBody(exchange.request, limits, budget);
  await store.report(parseReport(Buffer.from(body).toString("utf8")));
  const answer: LiveAnswer = { epoch: store.epoch };
  sendJson(exchange, answer);
}

function parseReport(text: string): LiveReport {
  const value = parseJson(text);
  const { instance, service, ended, dropped, clock, starts, texts, adopted, goodbye } = value;
  if (typeof instance !== "string" || instance === "") throw wrong("instance", "a non-empty string");
  if (typeof service !== "string") throw wrong("service", "a string");
  for (const [name, number] of Object.entries({ ended, dropped, clock })) {
    if (typeof number !== "number" || !(number >= 0) || number > Number.MAX_SAFE_INTEGER)
      throw wrong(name, "a number that is not negative");
  }
  if (adopted !== undefined && !isList(adopted, (entry) => typeof entry === "string"))
    throw wrong("adopted", "a list of strings");
  if (texts !== undefined && !isList(texts, isLiveText)) throw wrong("texts", "a list of texts");
  return {
    instance,
    service,
    ended: Number(ended),
    dropped: Number(dropped),
    clock: Number(clock),
    // What they are is checked where they are stored, as every span is.
    ...(starts === undefined ? {} : { starts: starts as NonNullable<LiveReport["starts"]> }),
    ...(texts === undefined ? {} : { texts: texts as readonly LiveText[] }),
    ...(adopted === undefined ? {} : { adopted: adopted as readonly string[] }),
    ...(goodbye === true ? { goodbye } : {}),
  };
}

function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WeftError("invalid_argument", "the body is not JSON", { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("it", "an object");
  return value as Record<string, unknown>;
}

function isList(value: unknown, isEntry: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isEntry);
}

function isLiveText(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { traceId, spanId, at, text } = value as Record<string, unknown>;
  const strings = [traceId, spanId, text].every((entry) => typeof entry === "string");
  return strings && typeof at === "number" && at >= 0;
}

function wrong(name: string, expected: string): WeftError {
  return new WeftError("invalid_argument", `the live report is wrong: ${name} must be ${expected}`);
}
