import { A2A_VERSION_HEADER, Extensions, HTTP_EXTENSION_HEADER } from "@a2a-js/sdk";
import { LEGACY_HTTP_EXTENSION_HEADER } from "@a2a-js/sdk/compat/v0_3";
import { ServerCallContext } from "@a2a-js/sdk/server";
import type { Principal } from "../auth/auth.ts";
import type { Binding } from "../a2a/uris.ts";
import type { LeaveSignal } from "../task/call-signal.ts";
import { setCallState } from "../task/call-state.ts";
import type { CallState } from "../task/call-state.ts";

export interface Caller {
  readonly principal: Principal | null;
  readonly remoteAddress?: string | undefined;
}

/** The SDK's context of one call, with what Weft adds to it. `headers` have lower-case names. */
export function createCallContext(options: {
  readonly binding: Binding;
  readonly headers: CallState["headers"];
  readonly caller: Caller;
  readonly signal?: LeaveSignal;
  readonly tenant?: string | undefined;
}): ServerCallContext {
  const { headers, caller, tenant } = options;
  const version = headers[A2A_VERSION_HEADER.toLowerCase()];
  const extensions =
    headers[HTTP_EXTENSION_HEADER.toLowerCase()] ?? headers[LEGACY_HTTP_EXTENSION_HEADER.toLowerCase()];
  const context = new ServerCallContext({
    requestedExtensions: parseExtensions(extensions),
    user: { isAuthenticated: caller.principal !== null, userName: caller.principal?.name ?? "" },
    ...(typeof version === "string" && version !== "" ? { requestedVersion: majorMinor(version) } : {}),
    ...(tenant ? { tenant } : {}),
  });
  setCallState(context, {
    binding: options.binding,
    headers,
    callerKey: caller.principal?.name ?? `@${caller.remoteAddress ?? ""}`,
    isTrusted: isTrusted(caller, headers),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  return context;
}

/** Callers say the same few again and again. */
let lastExtensions = { text: "", uris: [] as readonly string[] };

function parseExtensions(given: string | string[] | undefined): string[] {
  if (given === undefined) return [];
  const text = Array.isArray(given) ? given.join(",") : given;
  if (text !== lastExtensions.text) lastExtensions = { text, uris: Extensions.parseServiceParameter(text) };
  return [...lastExtensions.uris];
}

/** Patch numbers do not count (A2A 1.0, 3.6). */
function majorMinor(version: string): string {
  if (version === "1.0") return version;
  return /^\s*(\d+\.\d+)(?:\.\d+)?\s*$/.exec(version)?.[1] ?? version;
}

const proxyHeaders = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/** Whose trace and conversation a service continues: who logged in, and loopback that no proxy stands in front of. */
function isTrusted(caller: Caller, headers: CallState["headers"]): boolean {
  if (caller.principal !== null) return true;
  if (!isLoopback(caller.remoteAddress)) return false;
  for (const name of proxyHeaders) if (headers[name] !== undefined) return false;
  return true;
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  if (address === "127.0.0.1" || address === "::1" || address === "::ffff:127.0.0.1") return true;
  const bare = address.replace(/^::ffff:/, "").replace(/^\[|\]$/g, "");
  return bare === "::1" || bare === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(bare);
}
