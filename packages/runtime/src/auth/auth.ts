import type { SecurityScheme } from "@a2a-js/sdk";
import type { PeerCertificate } from "node:tls";
import { WeftError } from "@weft/tracing";
import type { ClientTls } from "../client/client-tls.ts";

/** A request as authentication sees it, whatever the binding. */
export interface AuthRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress?: string | undefined;
  /** The client's own certificate, when the listener asked for one and it was verified. */
  readonly certificate?: PeerCertificate;
}

/** Who calls. Tasks and contexts belong to a name. */
export interface Principal {
  readonly name: string;
  /** What a token said besides. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** One object for both sides: `serve` checks with it, `connect` sends with it. */
export interface Authenticator {
  authenticate(request: AuthRequest): Principal | null | Promise<Principal | null>;
  /** What a client sends with every request. */
  headers(): Promise<Record<string, string>>;
  /** How the agent card names it. */
  readonly scheme: { readonly name: string; readonly definition: SecurityScheme };
  /** The client's certificate and authorities. */
  readonly tls?: ClientTls;
  /** Whether the listener must ask for a client certificate. */
  readonly asksCertificate?: boolean;
  /** `www-authenticate` of a refusal. Default `Bearer`. */
  readonly challenge?: string;
}

export type AuthFunction = (
  request: AuthRequest,
) => Principal | string | null | Promise<Principal | string | null>;

/** What `auth` takes: an authenticator, or a function that says who calls (null: nobody who may). */
export type Auth = Authenticator | AuthFunction;

/**
 * Asks `auth` who calls; null when nobody who may. A function that throws is an error of the service,
 * not a login; a WeftError `permission_denied` says that the caller is known and may not.
 */
export async function authenticate(auth: Auth, request: AuthRequest): Promise<Principal | null> {
  const answer = await (typeof auth === "function" ? auth(request) : auth.authenticate(request));
  const principal = typeof answer === "string" ? { name: answer } : answer;
  if (principal && principal.name === "") {
    throw new WeftError("internal", "The auth function named a caller with an empty name.");
  }
  return principal;
}

/** The header's only value; undefined when it is missing or repeated. */
export function singleHeader(request: AuthRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
