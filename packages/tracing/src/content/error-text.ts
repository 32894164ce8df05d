import type { Attributes } from "@opentelemetry/api";
import { WeftError } from "../errors/weft-error.ts";
import { Attr } from "../vocabulary.ts";
import { cutToBytes } from "./cut-text.ts";
import { contentSettings } from "./content-settings.ts";
import { redactStart } from "./redaction.ts";

const maxTextBytes = 4096;
const maxStackBytes = 16_384;

/** What `error.type` says: a WeftError's code, else the class's name, else the system's code. Never content. */
export function errorType(error: unknown): string {
  if (error instanceof WeftError) return error.code;
  if (!(error instanceof Error)) return typeof error;
  if (error.name !== "Error" && error.name !== "") return error.name;
  const { code } = error as { code?: unknown };
  return typeof code === "string" || typeof code === "number" ? String(code) : error.constructor.name;
}

/** An error's text as the content policy lets it through: with `none`, its type only. */
export function errorText(error: unknown): string {
  if (contentSettings().policy === "none") return errorType(error);
  return safeText(error instanceof Error ? error.message : safeString(error), maxTextBytes);
}

/** A status text that somebody else wrote; undefined where it must not appear. */
export function statusText(message: string): string | undefined {
  return contentSettings().policy === "none" ? undefined : safeText(message, maxTextBytes);
}

/** Attributes of an exception event. A stack repeats the message, so it is content too. */
export function describeException(error: unknown): Attributes {
  const attributes: Attributes = { [Attr.exceptionType]: exceptionType(error) };
  if (contentSettings().policy === "none") return attributes;
  attributes[Attr.exceptionMessage] = errorText(error);
  if (error instanceof Error && error.stack !== undefined) {
    attributes[Attr.exceptionStacktrace] = safeText(error.stack, maxStackBytes);
  }
  return attributes;
}

function safeText(text: string, bytes: number): string {
  return cutToBytes(redactStart(text, bytes), bytes);
}

function exceptionType(error: unknown): string {
  if (error instanceof Error) return error.name;
  if (typeof error === "object" && error !== null && "name" in error) return safeString(error.name);
  return typeof error;
}

function safeString(value: unknown): string {
  try {
    return typeof value === "object" && value !== null && "message" in value
      ? String(value.message)
      : String(value);
  } catch {
    return typeof value;
  }
}
