/**
 * Who may ask.
 *
 * With a token, everything but `/healthz` and the viewer's own files needs it: as `Authorization: Bearer`, or as the
 * cookie that a page opened with `?token=` is given (a browser's EventSource cannot send headers).
 * Without one, on loopback, the collector answers only to names of this machine: a page elsewhere that points its own
 * name at 127.0.0.1 gets nothing (DNS rebinding).
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { HttpError } from "./http-error.ts";
import type { Exchange } from "./exchange.ts";
import { cookie } from "./exchange.ts";

const cookieName = "weft_token";

export class Access {
  private readonly token: string | undefined;
  private readonly host: string;

  constructor(options: { readonly token?: string | undefined; readonly host: string }) {
    this.token = options.token;
    this.host = options.host;
  }

  /** @throws HttpError 403 for a foreign host name */
  requireHost(exchange: Exchange): void {
    if (this.token !== undefined || !isLoopback(this.host)) return;
    const name = hostName(exchange.request.headers.host ?? "");
    if (name === "" || name === "localhost" || isIP(name) !== 0) return;
    throw new HttpError(403, "permission_denied", `this collector does not answer to the name ${name}`);
  }

  /** @throws HttpError 401 */
  requireToken(exchange: Exchange): void {
    if (this.token === undefined) return;
    const header = /^bearer +(.+)$/i.exec(exchange.request.headers.authorization ?? "")?.[1];
    const given = header ?? decodeCookie(cookie(exchange.request, cookieName));
    if (given !== undefined && this.isToken(given)) return;
    throw new HttpError(
      401,
      "unauthenticated",
      "this collector needs its token: Authorization: Bearer <token>",
      {
        "www-authenticate": "Bearer",
      },
    );
  }

  /** A page opened with `?token=` keeps it in a cookie and loses it from its address. Returns whether it answered. */
  exchangeToken({ query, path, response }: Exchange): boolean {
    const given = query.get("token");
    if (this.token === undefined || given === null || !this.isToken(given)) return false;
    const value = Buffer.from(given).toString("base64url");
    // A path that starts with two slashes would be another host's address.
    const location = path.replace(/^\/+/, "/");
    response.writeHead(303, {
      location,
      "set-cookie": `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict`,
      "cache-control": "no-store",
    });
    response.end();
    return true;
  }

  private isToken(given: string): boolean {
    return timingSafeEqual(digest(given), digest(this.token ?? ""));
  }
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function hostName(header: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(header);
  return (bracketed?.[1] ?? header.replace(/:\d+$/, "")).toLowerCase();
}

function decodeCookie(value: string | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value, "base64url").toString();
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
