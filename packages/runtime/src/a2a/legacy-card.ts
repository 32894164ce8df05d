import { isRecord } from "../agent/message.ts";

type Json = Record<string, unknown>;

/**
 * A card that readers of A2A 0.3 understand too: its members stand beside those of 1.0, whose readers ignore them (and
 * whose signatures do not cover them). Only where the card offers 0.3.
 */
export function withLegacyCard(card: Json): Json {
  const interfaces = Array.isArray(card["supportedInterfaces"]) ? card["supportedInterfaces"] : [];
  const legacy = interfaces.find((known) => isRecord(known) && known["protocolVersion"] === "0.3") as
    | Json
    | undefined;
  if (!legacy) return card;
  const capabilities = isRecord(card["capabilities"]) ? card["capabilities"] : {};
  return {
    ...card,
    protocolVersion: "0.3.0",
    url: legacy["url"],
    preferredTransport: legacy["protocolBinding"],
    additionalInterfaces: [],
    skills: card["skills"] ?? [],
    defaultInputModes: card["defaultInputModes"] ?? [],
    defaultOutputModes: card["defaultOutputModes"] ?? [],
    ...(capabilities["extendedAgentCard"] === true ? { supportsAuthenticatedExtendedCard: true } : {}),
    ...legacySecurity(card),
  };
}

function legacySecurity(card: Json): Json {
  const schemes = isRecord(card["securitySchemes"]) ? card["securitySchemes"] : {};
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
