import type { Duplex } from "node:stream";
import { WeftError } from "@weft/tracing";

/** The HTTP status of what kept a WebSocket from being opened. */
export function upgradeStatusOf(error: unknown): readonly [number, string] {
  const { code } = WeftError.from(error);
  if (code === "unauthenticated") return [401, "Unauthorized"];
  if (code === "permission_denied") return [403, "Forbidden"];
  return code === "unavailable" ? [503, "Service Unavailable"] : [500, "Internal Server Error"];
}

/** Answers an upgrade request with a refusal, and ends its socket. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${text}\r\nconnection: close\r\n${more.join("")}content-length: 0\r\n\r\n`);
}
