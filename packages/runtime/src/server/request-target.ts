import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { AuthRequest } from "../auth/auth.ts";

/** A path that means what it says: no query, nothing encoded, no segment that begins with a dot. */
const plainPath = /^(?:\/[\w:~-][\w.:~-]*)*\/?$/;
const noQuery = new URLSearchParams();

/** Where a request goes. */
export function parseUrl(request: IncomingMessage): Pick<URL, "pathname" | "searchParams"> {
  const given = request.url || "/";
  if (plainPath.test(given)) return { pathname: given, searchParams: noQuery };
  // Not relative to a base: "//other/path" is a path here, not another host.
  return URL.parse(given.startsWith("/") ? `http://local${given}` : given) ?? new URL("http://local/");
}

/** What an authenticator may look at. */
export function requestOf(request: IncomingMessage): AuthRequest {
  const { headers } = request;
  const socket = request.socket as TLSSocket;
  const certificate = socket.authorized ? socket.getPeerCertificate() : undefined;
  const isGiven = certificate !== undefined && Object.keys(certificate).length > 0;
  return { headers, remoteAddress: socket.remoteAddress, ...(isGiven ? { certificate } : {}) };
}
