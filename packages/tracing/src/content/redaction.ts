/**
 * Job: take out of every text what must not be recorded, before it enters a span.
 * Owns: nothing; which redactors run is a content setting.
 * I1. Redaction fails closed: where a redactor throws, or gives back no text, the whole text is left out.
 * I2. URLs and HTTP headers lose their credentials whatever the settings say.
 */
import { contentSettings } from "./content-settings.ts";
import { redactors } from "./redactors.ts";
import type { Redactor } from "./redactors.ts";

export const redactionFailed = "[redaction failed]";

let changes = 0;

/** How many texts redaction has changed so far: who records compares before and after. */
export function redactionCount(): number {
  return changes;
}

export function isRedacting(): boolean {
  return contentSettings().redact.length > 0;
}

/** `text` after all redactors. `name`: the member or attribute it stands under. */
export function redactText(text: string, name = ""): string {
  const { redact } = contentSettings();
  return redact.length === 0 ? text : apply(redact, text, name);
}

/** More than any secret is long: a text that will be cut is redacted this far past the cut. */
const margin = 32_768;

/** `redactText` for a text of which no more than `bytes` will be kept: what lies far beyond is not looked at, and is left out. */
export function redactStart(text: string, bytes: number, name = ""): string {
  if (!isRedacting()) return text;
  const end = Math.max(0, bytes) + margin;
  return redactText(text.length > end ? text.slice(0, end) : text, name);
}

const always: readonly Redactor[] = [redactors.secrets];

/** An attribute's text: `url.*` and `http.*` always lose credentials, all others go by the settings. */
export function redactAttribute(key: string, text: string): string {
  const safe = carriesCredentials(key) ? apply(always, text, key) : text;
  return redactText(safe, key);
}

/** Whether an attribute has to go through `redactAttribute` at all. */
export function needsRedaction(key: string): boolean {
  return isRedacting() || carriesCredentials(key);
}

function carriesCredentials(key: string): boolean {
  const first = key.charCodeAt(0);
  return (first === letterU && key.startsWith("url.")) || (first === letterH && key.startsWith("http."));
}

const letterU = 0x75;
const letterH = 0x68;

function apply(all: readonly Redactor[], text: string, name: string): string {
  let current: unknown = text;
  try {
    for (const redact of all) {
      current = redact(current as string, name);
      if (typeof current !== "string") return fail();
    }
  } catch {
    return fail();
  }
  if (current !== text) changes += 1;
  return current as string;
}

function fail(): string {
  changes += 1;
  return redactionFailed;
}
