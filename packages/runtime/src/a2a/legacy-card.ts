import { isRecord } from "../agent/message.ts";
import { legacyVersion } from "./uris.ts";

type Json = Record<string, unknown>;

/**
 * A card that readers of A2A 0.3 understand too: its members stand beside those of 1.0, whose readers ignore them (and
 * whose signatures do not cover them). Only where the card offers 0.3.
 */
export function withLegacyCard(card: Json): Json {
  const address = legacyAddress(card);
  if (!address) return card;
  return {
    ...card,
    ...address,
    skills: card["skills"] ?? [],
    defaultInputModes: card["defaultInputModes"] ?? [],
    defaultOutputModes: card["defaultOutputModes"] ?? [],
    ...legacySecurity(card),
  };
}

/** What a card is in the ProtoJSON of 0.3, whose readers may refuse members that they do not know. */
export function toLegacyCard(card: Json): Json {
  const { supportedInterfaces: _, securityRequirements, signatures: _ofAnother, ...rest } = card;
  const { iconUrl: _icon, capabilities, skills, ...known } = rest;
  const { extendedAgentCard: _extended, ...legacyCapabilities } = asRecord(capabilities);
  return {
    ...known,
    ...legacyAddress(card),
    capabilities: legacyCapabilities,
    skills: asRecords(skills).map(({ securityRequirements: security, ...skill }) => ({
      ...skill,
      ...(security === undefined ? {} : { security }),
    })),
    ...(securityRequirements === undefined ? {} : { security: securityRequirements }),
  };
}

/** Where 0.3 is spoken: first on the main URL, and on all of `additionalInterfaces` (A2A 0.3, 5.6.2). */
function legacyAddress(card: Json): Json | undefined {
  const interfaces = asRecords(card["supportedInterfaces"])
    .filter((known) => known["protocolVersion"] === legacyVersion)
    .map((known) => ({ url: known["url"], transport: known["protocolBinding"] }));
  const [main] = interfaces;
  if (!main) return undefined;
  return {
    protocolVersion: `${legacyVersion}.0`,
    url: main.url,
    preferredTransport: main.transport,
    additionalInterfaces: interfaces,
    ...(asRecord(card["capabilities"])["extendedAgentCard"] === true
      ? { supportsAuthenticatedExtendedCard: true }
      : {}),
  };
}

function legacySecurity(card: Json): Json {
  const schemes = asRecord(card["securitySchemes"]);
  const names = Object.keys(schemes);
  if (names.length === 0) return {};
  const both = names.map((name) => [name, { ...(schemes[name] as Json), ...legacyScheme(schemes[name]) }]);
  return { securitySchemes: Object.fromEntries(both), security: names.map((name) => ({ [name]: [] })) };
}

function legacyScheme(scheme: unknown): Json {
  if (!isRecord(scheme)) return {};
  const { httpAuthSecurityScheme: http, apiKeySecurityScheme: key } = scheme;
  if (isRecord(http)) return { type: "http", ...http };
  if (isRecord(key)) return { type: "apiKey", in: key["location"], name: key["name"] };
  return { type: "mutualTLS" };
}

function asRecord(value: unknown): Json {
  return isRecord(value) ? value : {};
}

function asRecords(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
