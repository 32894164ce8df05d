import { createHash, timingSafeEqual } from "node:crypto";
import { WeftError } from "@weft/tracing";
import { singleHeader } from "./auth.ts";
import type { Authenticator } from "./auth.ts";

type Secret = string | (() => string | Promise<string>);

/**
 * A bearer token (RFC 6750). A function is asked at every use, so that tokens can change.
 *
 * @throws WeftError `invalid_argument` for an empty token, here or when the function gives one
 */
export function bearer(token: Secret): Authenticator {
  const read = secretReader(token, "bearer");
  return {
    async authenticate(request) {
      const given = /^bearer +(\S+) *$/i.exec(singleHeader(request, "authorization") ?? "")?.[1];
      return given !== undefined && isSame(given, await read()) ? { name: "bearer" } : null;
    },
    async headers() {
      return { authorization: `Bearer ${await read()}` };
    },
    scheme: {
      name: "bearer",
      definition: {
        scheme: {
          $case: "httpAuthSecurityScheme",
          value: { description: "", scheme: "bearer", bearerFormat: "" },
        },
      },
    },
  };
}

/**
 * A key in a header of its own, `x-api-key` unless another is named.
 *
 * @throws WeftError `invalid_argument` for an empty key
 */
export function apiKey(key: Secret, options: { readonly header?: string } = {}): Authenticator {
  const header = (options.header ?? "x-api-key").toLowerCase();
  const read = secretReader(key, "apiKey");
  return {
    async authenticate(request) {
      const given = singleHeader(request, header);
      return given !== undefined && isSame(given, await read()) ? { name: "apiKey" } : null;
    },
    async headers() {
      return { [header]: await read() };
    },
    challenge: `ApiKey header="${header}"`,
    scheme: {
      name: "apiKey",
      definition: {
        scheme: {
          $case: "apiKeySecurityScheme",
          value: { description: "", location: "header", name: header },
        },
      },
    },
  };
}

function secretReader(secret: Secret, name: string): () => Promise<string> {
  const check = (value: unknown): string => {
    if (typeof value === "string" && value !== "") return value;
    throw new WeftError("invalid_argument", `${name}() needs a non-empty secret.`);
  };
  if (typeof secret !== "function") check(secret);
  return async () => check(typeof secret === "function" ? await secret() : secret);
}

/** Compares hashes, so that neither length nor content shows in the time taken. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
