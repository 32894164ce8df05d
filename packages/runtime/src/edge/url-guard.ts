/*
 * UrlGuard: which addresses a service calls because somebody told it to.
 *
 * Job: checks a URL that came from outside (push notifications, cards) and names the one address it may be called at.
 * Owns: the list of ranges. Does not own: the call.
 *
 * I1  A host with one address in a private range is refused, whatever its others are.
 * I2  The address that was checked is the address that is called (`pinnedLookup`): DNS is asked once.
 * I3  Redirects are the caller's to refuse; node:http follows none.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { WeftError } from "@weft/tracing";

export interface UrlGuardOptions {
  /** Hosts (`host` or `host:port`) that may be private. Default none. */
  readonly allowHosts?: readonly string[];
  /** Lets every private range through: for services that call each other inside one network. Default false. */
  readonly allowPrivate?: boolean;
  /** Lets `http:` through. Default true. */
  readonly allowHttp?: boolean;
}

export interface CheckedUrl {
  readonly url: URL;
  readonly address: string;
  readonly family: 4 | 6;
}

/** What is not the public internet (IANA special-purpose registries), documentation and benchmark ranges included. */
const privateRanges: readonly (readonly [address: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
  ["5f00::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

const blocked = new BlockList();
for (const [address, bits] of privateRanges) {
  blocked.addSubnet(address, bits, address.includes(":") ? "ipv6" : "ipv4");
}

/** Whether an address is in a range that is not the public internet; what is no address counts as such. */
export function isPrivateAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  const family = isIP(bare);
  if (family === 0) return true;
  // An IPv4 address in IPv6 clothes is checked as what it is: BlockList does that by itself.
  return blocked.check(bare, family === 6 ? "ipv6" : "ipv4");
}

const local = new BlockList();
local.addSubnet("127.0.0.0", 8, "ipv4");
local.addAddress("::1", "ipv6");
const linkLocal = new BlockList();
linkLocal.addSubnet("169.254.0.0", 16, "ipv4");
linkLocal.addSubnet("fe80::", 10, "ipv6");

/** How far inside an address lies. Link-local is a zone of its own: clouds answer there with credentials. */
export type AddressZone = "public" | "private" | "loopback" | "link-local";

export function zoneOf(address: string): AddressZone {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  const family = isIP(bare) === 6 ? "ipv6" : "ipv4";
  if (!isPrivateAddress(bare)) return "public";
  if (local.check(bare, family)) return "loopback";
  return linkLocal.check(bare, family) ? "link-local" : "private";
}

/**
 * What can be said of a URL without asking DNS.
 *
 * @throws WeftError `invalid_argument` that says what is wrong
 */
export function parseGuardedUrl(text: string, options: UrlGuardOptions = {}): URL {
  const url = URL.parse(text);
  if (!url) throw new WeftError("invalid_argument", "The URL cannot be read.");
  const isHttp = url.protocol === "http:" && options.allowHttp !== false;
  if (url.protocol !== "https:" && !isHttp) throw refused(url, `its scheme is ${url.protocol}`);
  if (url.username !== "" || url.password !== "") throw refused(url, "it holds a login");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && !isAllowed(url, options) && isPrivateAddress(host)) {
    throw refused(url, "its address is in a private range");
  }
  return url;
}

/**
 * Resolves a URL's host once and checks every address of it.
 *
 * @throws WeftError `invalid_argument` for a URL that must not be called, `unavailable` for a host that has no address
 */
export async function checkUrl(text: string, options: UrlGuardOptions = {}): Promise<CheckedUrl> {
  const url = parseGuardedUrl(text, options);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = await lookup(host, { all: true }).catch((cause: unknown): never => {
    throw new WeftError("unavailable", `The host ${host} has no address.`, { cause });
  });
  if (!isAllowed(url, options) && addresses.some(({ address }) => isPrivateAddress(address))) {
    throw refused(url, "its host has an address in a private range");
  }
  const [first] = addresses;
  if (!first) throw new WeftError("unavailable", `The host ${host} has no address.`);
  return { url, address: first.address, family: first.family === 6 ? 6 : 4 };
}

/** For `http.request({ lookup })`: the address that was checked, whatever DNS says by now. */
export function pinnedLookup({ address, family }: CheckedUrl): LookupFunction {
  return (_host, options, done) => {
    if (options.all) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/** Whether the options name a URL's host, or let everything through. */
export function isAllowed(url: URL, { allowPrivate, allowHosts = [] }: UrlGuardOptions): boolean {
  return allowPrivate === true || allowHosts.includes(url.host) || allowHosts.includes(url.hostname);
}

function refused(url: URL, reason: string): WeftError {
  return new WeftError("invalid_argument", `The URL of ${url.host || "nowhere"} is refused: ${reason}.`);
}
