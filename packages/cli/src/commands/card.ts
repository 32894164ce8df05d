import { WeftError } from "@weft/tracing";
import { parseArguments, UsageError, writeJson, writeLine } from "../command/command.ts";
import type { Command, Terminal } from "../command/command.ts";
import { printable } from "../trace/describe-span.ts";

const help = `Usage: weft card <url> [options]

Reads an agent's A2A card, by the agent's URL or the card's own, and prints what it says.

  --token <token>  sent as Authorization: Bearer (WEFT_TOKEN)
  --json           print the card as it came`;

const options = { token: { type: "string" }, json: { type: "boolean", default: false } } as const;

/** Milliseconds and bytes a card may take. */
const timeoutMs = 10_000;
const maxBytes = 1024 * 1024;

type Json = Readonly<Record<string, unknown>>;

async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseArguments(args, options, 1);
  const card = await fetchCard(
    cardUrl(positionals[0] ?? ""),
    values.token ?? terminal.env["WEFT_TOKEN"],
    terminal.signal,
  );
  if (values.json) return writeJson(terminal.stdout, card);
  for (const line of describeCard(card)) writeLine(terminal.stdout, line);
}

function cardUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`${text} is not an http address`);
  if (!url.pathname.endsWith(".json"))
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/.well-known/agent-card.json`;
  return url;
}

async function fetchCard(url: URL, token: string | undefined, signal: AbortSignal): Promise<Json> {
  const headers = token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` };
  let text: string;
  try {
    const response = await fetch(url, {
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!response.ok)
      throw new WeftError("not_found", `${url.href} answered with status ${String(response.status)}`);
    text = await readText(response);
  } catch (error) {
    if (error instanceof WeftError || signal.aborted) throw WeftError.from(error);
    throw new WeftError("unavailable", `nothing answers at ${url.href}`, { cause: error });
  }
  return parseCard(text, url);
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > maxBytes) throw new WeftError("invalid_card", "the card is larger than 1 MiB");
  }
  return text + decoder.decode();
}

function parseCard(text: string, url: URL): Json {
  try {
    const card: unknown = JSON.parse(text);
    if (isObject(card)) return card;
  } catch {
    // Said below.
  }
  throw new WeftError("invalid_card", `what ${url.href} answers is not a card`);
}

/** A2A 1.0 names `supportedInterfaces`; 0.3 names `url` and `additionalInterfaces`. */
function describeCard(card: Json): readonly string[] {
  const first: Json = { url: card["url"], transport: card["preferredTransport"] ?? "JSONRPC" };
  const listed = [
    ...objects(card["supportedInterfaces"]),
    ...(card["url"] ? [first] : []),
    ...objects(card["additionalInterfaces"]),
  ];
  const interfaces = listed.map(
    (entry) => `  ${text(entry["protocolBinding"] ?? entry["transport"]).padEnd(10)} ${text(entry["url"])}`,
  );
  const skills = objects(card["skills"]).map(
    (skill) => `  ${text(skill["name"])}: ${text(skill["description"])}`,
  );
  const logins = isObject(card["securitySchemes"]) ? Object.keys(card["securitySchemes"]) : [];
  return [
    `${text(card["name"])} ${text(card["version"])}`.trim(),
    ...[text(card["description"])].filter((line) => line !== ""),
    ...section("interfaces", [...new Set(interfaces)]),
    ...section("skills", skills),
    ...section(
      "login",
      logins.map((name) => `  ${printable(name, 60)}`),
    ),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines];
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A stranger's text, fit for a terminal. */
function text(value: unknown): string {
  return typeof value === "string" ? printable(value, 200) : "";
}

export const card: Command = { help, run };
