import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from "jose";
import { WeftError } from "@weft/tracing";
import { singleHeader } from "./auth.ts";
import type { Authenticator, Principal } from "./auth.ts";

export interface JwtOptions {
  /** The `iss` a token must have. */
  readonly issuer: string;
  /** The `aud` a token must have: this service's name, so that tokens for others are not taken. */
  readonly audience: string;
  /** The issuer's keys: the URL of its JWKS, or the set itself. A client that only sends needs none. */
  readonly jwks?: string | URL | JSONWebKeySet;
  /** Signature algorithms that are taken. Default ES256, RS256, PS256, EdDSA; never `none` or a shared secret. */
  readonly algorithms?: readonly string[];
  /** Scopes a caller needs, all of them; one without is refused as 403. */
  readonly scopes?: readonly string[];
  /** The claim that names the caller. Default `sub`. */
  readonly nameClaim?: string;
  /** Seconds by which clocks may differ. Default 5. */
  readonly clockToleranceSeconds?: number;
  /** Client side: the token to send, asked at every use. */
  readonly token?: () => string | Promise<string>;
}

const defaultAlgorithms = ["ES256", "RS256", "PS256", "EdDSA"];

/**
 * Signed tokens (RFC 7519) in the authorization header, checked with the issuer's keys. Keys from a URL are kept for ten
 * minutes, and read again, at most every 30 s, when a token names one that is not known.
 *
 * @throws WeftError `invalid_argument` without issuer or audience; when asked, `permission_denied` for a missing scope and
 *   `unavailable` when the keys cannot be read
 */
export function jwt(options: JwtOptions): Authenticator {
  if (options.issuer === "" || options.audience === "") {
    throw new WeftError("invalid_argument", "jwt() needs an issuer and an audience.");
  }
  const keys = keySet(options.jwks);
  return {
    challenge: `Bearer scope="${(options.scopes ?? []).join(" ")}"`,
    async authenticate(request) {
      const token = /^bearer +(\S+) *$/i.exec(singleHeader(request, "authorization") ?? "")?.[1];
      if (token === undefined) return null;
      if (!keys) throw new WeftError("invalid_argument", "jwt() checks tokens only with jwks.");
      const claims = await verify(token, keys, options);
      return claims && toPrincipal(claims, options);
    },
    async headers() {
      if (!options.token) throw new WeftError("invalid_argument", "jwt() sends tokens only with token.");
      return { authorization: `Bearer ${await options.token()}` };
    },
    scheme: {
      name: "jwt",
      definition: {
        scheme: {
          $case: "httpAuthSecurityScheme",
          value: { description: "", scheme: "bearer", bearerFormat: "JWT" },
        },
      },
    },
  };
}

function keySet(jwks: JwtOptions["jwks"]): JWTVerifyGetKey | undefined {
  if (jwks === undefined) return undefined;
  if (typeof jwks === "string" || jwks instanceof URL) return createRemoteJWKSet(new URL(jwks));
  return createLocalJWKSet(jwks);
}

/** A token that is wrong in any way is no login; keys that cannot be read are the service's trouble. */
async function verify(token: string, keys: JWTVerifyGetKey, options: JwtOptions): Promise<JWTPayload | null> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: [...(options.algorithms ?? defaultAlgorithms)],
      clockTolerance: options.clockToleranceSeconds ?? 5,
      requiredClaims: ["exp"],
    });
    return payload;
  } catch (error) {
    if (isWrongToken(error)) return null;
    throw new WeftError("unavailable", "The keys of the token's issuer cannot be read.", { cause: error });
  }
}

function isWrongToken(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false;
  return !(error instanceof errors.JWKSTimeout) && error.code !== "ERR_JOSE_GENERIC";
}

function toPrincipal(claims: JWTPayload, options: JwtOptions): Principal | null {
  const name = claims[options.nameClaim ?? "sub"];
  if (typeof name !== "string" || name === "") return null;
  const granted = scopesOf(claims);
  const missing = options.scopes?.find((scope) => !granted.includes(scope));
  if (missing === undefined) return { name, claims };
  throw new WeftError("permission_denied", `The token lacks the scope "${missing}".`);
}

/** RFC 8693 writes a string, some issuers a list. */
function scopesOf(claims: JWTPayload): readonly unknown[] {
  const value = claims["scope"] ?? claims["scp"];
  if (typeof value === "string") return value.split(" ");
  return Array.isArray(value) ? value : [];
}
