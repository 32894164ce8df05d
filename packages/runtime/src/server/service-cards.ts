/*
 * ServiceCards: the cards of one agent as they are sent.
 *
 * Job: makes the public and the extended card once the address is known, signs them, and keeps their bytes and ETag.
 * Owns: the cards. Does not own: who may read the extended one (the handler's).
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { AgentCard, generateAgentCardSignature } from "@a2a-js/sdk";
import type { JWK, JWSHeaderParameters } from "jose";
import type { KeyObject } from "node:crypto";
import { createAgentCard } from "../a2a/agent-card.ts";
import type { CardAddress, CardOptions } from "../a2a/agent-card.ts";
import { withLegacyCard } from "../a2a/legacy-card.ts";
import type { Agent } from "../agent/agent.ts";
import type { Authenticator } from "../auth/auth.ts";

/** With what a card is signed (A2A 1.0, 8.4): a private key and how receivers find its public half. */
export interface CardKey {
  readonly key: KeyObject | JWK;
  readonly keyId: string;
  /** Default ES256. */
  readonly algorithm?: string;
  /** Where the public keys stand. */
  readonly jwksUrl?: string;
}

export interface ServiceCardsOptions {
  readonly agent: Agent;
  readonly card?: CardOptions | undefined;
  readonly extendedCard?: CardOptions | undefined;
  readonly cardKey?: CardKey | undefined;
  readonly auth?: Authenticator | undefined;
  readonly pushNotifications?: boolean | undefined;
}

/** How long receivers may keep a card without asking again. */
const maxAgeSeconds = 60;

export class ServiceCards {
  readonly #options: ServiceCardsOptions;
  #card: AgentCard | undefined;
  /** When it was published, as HTTP writes times. */
  #changed = "";
  #signed: Promise<{ readonly body: string; readonly etag: string }> | undefined;
  #extended: Promise<AgentCard> | undefined;

  constructor(options: ServiceCardsOptions) {
    this.#options = options;
  }

  /** The public card; there is one once {@link publish} was called. */
  get card(): AgentCard {
    return this.#card!;
  }

  publish(address: CardAddress): void {
    const { agent, card, extendedCard, auth } = this.#options;
    const base = createAgentCard(agent, address, card, auth);
    const hasExtended = extendedCard !== undefined;
    const capabilities = {
      ...base.capabilities!,
      extendedAgentCard: hasExtended,
      ...(this.#options.pushNotifications ? { pushNotifications: true } : {}),
    };
    this.#card = { ...base, capabilities };
    this.#changed = new Date().toUTCString();
    this.#signed = this.#sign(this.#card).then((signed) => {
      this.#card = signed;
      const body = JSON.stringify(withLegacyCard(AgentCard.toJSON(signed) as Record<string, unknown>));
      return { body, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
    });
    this.#extended = hasExtended
      ? this.#sign({ ...createAgentCard(agent, address, { ...card, ...extendedCard }, auth), capabilities })
      : undefined;
    // Who asks for a card gets the failure; nobody may ask.
    this.#signed.catch(() => undefined);
    this.#extended?.catch(() => undefined);
  }

  /** Resolves when the cards are signed; rejects when the key does not do. */
  async ready(): Promise<void> {
    await Promise.all([this.#signed, this.#extended]);
  }

  async extended(): Promise<AgentCard | undefined> {
    return this.#extended;
  }

  async send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { body, etag } = await this.#signed!;
    const headers = {
      etag,
      "last-modified": this.#changed,
      "cache-control": `public, max-age=${maxAgeSeconds}`,
    };
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, headers).end();
      return;
    }
    const length = Buffer.byteLength(body);
    response.writeHead(200, { ...headers, "content-type": "application/json", "content-length": length });
    response.end(body);
  }

  async #sign(card: AgentCard): Promise<AgentCard> {
    const { cardKey } = this.#options;
    if (!cardKey) return card;
    const header: JWSHeaderParameters = {
      alg: cardKey.algorithm ?? "ES256",
      kid: cardKey.keyId,
      typ: "JOSE",
      ...(cardKey.jwksUrl === undefined ? {} : { jku: cardKey.jwksUrl }),
    };
    return generateAgentCardSignature(cardKey.key, header)(card);
  }
}
