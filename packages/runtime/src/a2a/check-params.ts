import { WeftError } from "@weft/tracing";
import { isRecord } from "../agent/message.ts";

const requestStrings = [
  "tenant",
  "id",
  "taskId",
  "contextId",
  "pageToken",
  "statusTimestampAfter",
  "url",
  "token",
];
const requestCounts = ["historyLength", "pageSize"];
const messageStrings = ["messageId", "contextId", "taskId"];

/**
 * Refuses members of the wrong type: the codecs make text of whatever they find, and "[object Object]" is nobody's id.
 *
 * @throws WeftError `invalid_argument` naming the member
 */
export function checkParams(params: Readonly<Record<string, unknown>>): void {
  for (const name of requestStrings) checkString(params, name);
  for (const name of requestCounts) checkNumber(params, name);
  const { message, configuration } = params;
  if (isRecord(message)) checkMessage(message);
  else if (isGiven(message)) throw wrong("message", "an object");
  checkObject(params, "metadata");
  if (isRecord(configuration)) {
    checkNumber(configuration, "historyLength");
    checkStrings(configuration, "acceptedOutputModes");
  } else if (isGiven(configuration)) throw wrong("configuration", "an object");
}

function checkMessage(message: Readonly<Record<string, unknown>>): void {
  for (const name of messageStrings) checkString(message, name);
  for (const name of ["extensions", "referenceTaskIds"]) checkStrings(message, name);
  checkObject(message, "metadata");
  const { parts } = message;
  if (!isGiven(parts)) return;
  if (!Array.isArray(parts) || !parts.every(isRecord)) throw wrong("parts", "a list of objects");
  for (const part of parts) {
    for (const name of ["text", "url", "filename", "mediaType"]) checkString(part, name);
    checkObject(part, "metadata");
    const { raw } = part;
    if (isGiven(raw) && typeof raw !== "string" && !(raw instanceof Uint8Array)) throw wrong("raw", "base64");
  }
}

function checkString(from: Readonly<Record<string, unknown>>, name: string): void {
  const value = from[name];
  if (isGiven(value) && typeof value !== "string") throw wrong(name, "a string");
}

function checkStrings(from: Readonly<Record<string, unknown>>, name: string): void {
  const value = from[name];
  if (!isGiven(value)) return;
  if (!Array.isArray(value) || !value.every((member) => typeof member === "string"))
    throw wrong(name, "a list of strings");
}

function checkObject(from: Readonly<Record<string, unknown>>, name: string): void {
  if (isGiven(from[name]) && !isRecord(from[name])) throw wrong(name, "an object");
}

/** ProtoJSON takes a number's text too. */
function checkNumber(from: Readonly<Record<string, unknown>>, name: string): void {
  const value = from[name];
  if (!isGiven(value) || typeof value === "number") return;
  if (typeof value !== "string" || !/^-?\d{1,15}$/.test(value)) throw wrong(name, "a number");
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function wrong(name: string, type: string): WeftError {
  return new WeftError("invalid_argument", `The parameter ${name} must be ${type}.`);
}
