/*
 * CardGuard: where a card that was read from the network may send its reader.
 *
 * Job: checks the address behind a card's interface before it is called, and at each connection.
 * Owns: nothing but what was said of the card's own host. Does not own: the ranges (UrlGuard's), the connection.
 *
 * I1  A card points no further inside than where it was read: a public one at public addresses, one of a private network
 *     also at private ones, one of loopback also at loopback. Its own host is always allowed.
 * I2  The address that was checked is the one that is called: each connection's own lookup checks.
 * I3  Nobody follows redirects.
 */
import { lookup as lookupNow } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { WeftError } from "@weft/tracing";
import { isAllowed, zoneOf } from "../edge/url-guard.ts";
import type { AddressZone, UrlGuardOptions } from "../edge/url-guard.ts";

const reachableFrom: Readonly<Record<AddressZone, readonly AddressZone[]>> = {
  public: ["public"],
  private: ["public", "private"],
  loopback: ["public", "private", "loopback"],
  "link-local": ["public"],
};

export class CardGuard {
  readonly #cardUrl: URL;
  readonly #options: UrlGuardOptions;
  #zones: readonly AddressZone[] = reachableFrom.public;

  constructor(cardUrl: string, options: UrlGuardOptions = {}) {
    this.#cardUrl = new URL(cardUrl);
    this.#options = options;
  }

  /** Two guards of one name let the same through. */
  get name(): string {
    return JSON.stringify([hostOf(this.#cardUrl), this.#zones, this.#options]);
  }

  /**
   * Checks an interface's URL, once for clients that connect through {@link lookup}. Returns the address to call where
   * the host is not the card's own.
   *
   * @throws WeftError `invalid_card` that names the host and says how to allow it
   */
  async check(endpoint: string): Promise<string | undefined> {
    const url = URL.parse(/^[a-z]+:\/\//i.test(endpoint) ? endpoint : `grpc://${endpoint}`);
    if (!url) throw new WeftError("invalid_card", `The card names "${endpoint}", which is no URL.`);
    const host = hostOf(url);
    if (host === hostOf(this.#cardUrl) || isAllowed(url, this.#options)) return undefined;
    this.#zones = reachableFrom[await this.#ownZone()];
    // A host without an address is the connection's to report.
    const addresses = await lookup(host, { all: true }).catch(() => []);
    for (const { address } of addresses) this.#checkAddress(address, host);
    return addresses[0]?.address;
  }

  /** For the sockets of calls: refuses at the moment of connecting what {@link check} refuses. */
  readonly lookup: LookupFunction = (host, options, done) => {
    const isFree = host === hostOf(this.#cardUrl) || this.#isNamed(host);
    lookupNow(host, { ...options, all: true }, (error, addresses) => {
      try {
        if (error) throw error;
        if (!isFree) for (const { address } of addresses) this.#checkAddress(address, host);
        const [first] = addresses;
        if (options.all) done(null, addresses);
        else done(null, first!.address, first!.family);
      } catch (thrown) {
        done(thrown as NodeJS.ErrnoException, "", 0);
      }
    });
  };

  #isNamed(host: string): boolean {
    const { allowPrivate, allowHosts = [] } = this.#options;
    return allowPrivate === true || allowHosts.some((known) => known.replace(/:\d+$/, "") === host);
  }

  #checkAddress(address: string, host: string): void {
    if (this.#zones.includes(zoneOf(address))) return;
    throw new WeftError(
      "invalid_card",
      `The card at ${this.#cardUrl.origin} points to ${host}, an address further inside (${zoneOf(address)}); if that is meant, allow it: urls: { allowHosts: ["${host}"] }.`,
    );
  }

  /** The outermost of the addresses of the card's host. */
  async #ownZone(): Promise<AddressZone> {
    const addresses = await lookup(hostOf(this.#cardUrl), { all: true }).catch(() => []);
    const zones = addresses.map(({ address }) => zoneOf(address));
    return (
      (["public", "link-local", "private"] as const).find((zone) => zones.includes(zone)) ??
      zones[0] ??
      "public"
    );
  }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
