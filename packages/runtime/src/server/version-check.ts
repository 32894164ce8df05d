import { VersionNotSupportedError } from "@a2a-js/sdk/errors";
import { validateVersion } from "@a2a-js/sdk/server";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { legacyVersion, protocolBindings } from "../a2a/uris.ts";
import type { Binding } from "../a2a/uris.ts";

/** Which versions of A2A a service speaks on one binding: as its card says, which is asked once for each. */
export class VersionCheck {
  readonly #handler: A2ARequestHandler;
  readonly #binding: string;
  readonly #known = new Set<string>();

  constructor(handler: A2ARequestHandler, binding: Binding) {
    this.#handler = handler;
    this.#binding = protocolBindings[binding];
  }

  /**
   * Refuses a version that the card does not offer, and where a path or a gRPC service is of 0.3 or is not
   * (`isLegacy`), a call of another version than it; who names none is of 0.3 (A2A 1.0, 3.6.2). Returns nothing for what
   * is known to be right.
   *
   * @throws VersionNotSupportedError
   */
  check(version: string, isLegacy?: boolean): Promise<void> | undefined {
    if (!this.#known.has(version)) return this.#ask(version, isLegacy);
    checkSpoken(version, isLegacy);
    return undefined;
  }

  async #ask(version: string, isLegacy: boolean | undefined): Promise<void> {
    validateVersion(version, await this.#handler.getAgentCard(), this.#binding);
    this.#known.add(version);
    checkSpoken(version, isLegacy);
  }
}

function checkSpoken(version: string, isLegacy: boolean | undefined): void {
  if (isLegacy === undefined || (version === legacyVersion) === isLegacy) return;
  throw new VersionNotSupportedError(
    `The requested A2A protocol version '${version}' is not the one that is spoken here.`,
  );
}
