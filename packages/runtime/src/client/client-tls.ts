import type { KeyObject } from "node:crypto";
import { WeftError } from "@weft/tracing";

type Pem = string | Buffer;

/** What a client needs besides the system's authorities: a private one, or a certificate of its own (mutual TLS). */
export interface ClientTls {
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: Pem | readonly Pem[];
  /** PEM of the client's own certificate. */
  readonly cert?: Pem;
  /** PEM of its key. */
  readonly key?: Pem;
}

/** Node's options take mutable arrays. */
export function tlsOptions(tls: ClientTls | undefined): {
  ca?: Pem | Pem[];
  cert?: Pem;
  key?: Pem | KeyObject;
} {
  if (!tls) return {};
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new WeftError("invalid_argument", "A client certificate needs both cert and key.");
  }
  const { ca, cert, key } = tls;
  return {
    ...(ca === undefined ? {} : { ca: typeof ca === "string" || Buffer.isBuffer(ca) ? ca : [...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
