import { validateVersion } from "@a2a-js/sdk/server";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";

/** Which versions of A2A a service speaks on one binding: as its card says, which is asked once for each. */
export class VersionCheck {
  readonly #handler: A2ARequestHandler;
  readonly #binding: string;
  readonly #known = new Set<string>();

  /** `binding` as the card names it. */
  constructor(handler: A2ARequestHandler, binding: string) {
    this.#handler = handler;
    this.#binding = binding;
  }

  /** Nothing for a version that is known; else a promise that rejects with VersionNotSupportedError (A2A 1.0, 3.6). */
  check(version: string): Promise<void> | undefined {
    return this.#known.has(version) ? undefined : this.#ask(version);
  }

  async #ask(version: string): Promise<void> {
    validateVersion(version, await this.#handler.getAgentCard(), this.#binding);
    this.#known.add(version);
  }
}
