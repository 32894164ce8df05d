import type { PeerCertificate } from "node:tls";
import { WeftError } from "@weft/tracing";
import type { ClientTls } from "../client/client-tls.ts";
import type { Authenticator } from "./auth.ts";

export interface MutualTlsOptions extends ClientTls {
  /** Who a verified certificate stands for; null: nobody who may. Default: its subject's common name. */
  readonly nameOf?: (certificate: PeerCertificate) => string | null;
}

/**
 * Client certificates (RFC 8705). `serve` asks for one and verifies it against its `tls.ca`; `connect` sends `cert` with
 * `key` and trusts `ca`.
 */
export function mutualTls(options: MutualTlsOptions = {}): Authenticator {
  const { nameOf = commonName, ...tls } = options;
  return {
    asksCertificate: true,
    challenge: "Mutual",
    tls,
    authenticate({ certificate }) {
      const name = certificate ? nameOf(certificate) : null;
      return name === null ? null : { name };
    },
    headers: async () => ({}),
    scheme: {
      name: "mutualTls",
      definition: { scheme: { $case: "mtlsSecurityScheme", value: { description: "" } } },
    },
  };
}

function commonName(certificate: PeerCertificate): string | null {
  const name: unknown = certificate.subject?.CN;
  if (Array.isArray(name)) throw new WeftError("permission_denied", "The certificate has several names.");
  return typeof name === "string" && name !== "" ? name : null;
}
