import type { AgentCard, AgentInterface } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { bindings, protocolBindings } from "../a2a/uris.ts";
import type { Binding } from "../a2a/uris.ts";

/** Between Weft services ws is the fastest; only they offer it. gRPC last: it needs packages of its own. */
const preference: readonly Binding[] = ["ws", "jsonrpc", "rest", "grpc"];

export interface SelectedInterface {
  readonly binding: Binding;
  readonly endpoint: AgentInterface;
}

/**
 * The card's interface to use: the one asked for, else the best that both sides speak; of several alike the
 * first, and 1.0 before 0.3.
 *
 * @throws WeftError `invalid_card` naming what the card offers
 */
export function selectInterface(card: AgentCard, wanted?: Binding): SelectedInterface {
  if (wanted !== undefined && !bindings.includes(wanted)) {
    throw new WeftError(
      "invalid_argument",
      `"${wanted as string}" is not a binding; there are: ${bindings.join(", ")}.`,
    );
  }
  for (const isVersion of [isCurrent, isLegacy]) {
    for (const binding of wanted === undefined ? preference : [wanted]) {
      const endpoint = card.supportedInterfaces.find(
        (known) => known.url !== "" && isVersion(known) && bindingOf(known) === binding,
      );
      if (endpoint) return { binding, endpoint };
    }
  }
  const offered = card.supportedInterfaces.map((known) =>
    `${known.protocolBinding} ${known.protocolVersion}`.trim(),
  );
  const asked = wanted ?? "any binding this client speaks (A2A 1.0, 0.3)";
  throw new WeftError(
    "invalid_card",
    `Agent "${card.name}" does not offer ${asked}; its card offers: ${offered.join(", ")}.`,
  );
}

function isCurrent(known: AgentInterface): boolean {
  return known.protocolVersion === "" || /^1(\.|$)/.test(known.protocolVersion);
}

/** A2A 0.3, which knows no WebSocket binding. */
export function isLegacy({ protocolBinding, protocolVersion }: AgentInterface): boolean {
  return /^0\.3(\.|$)/.test(protocolVersion) && protocolBinding !== protocolBindings.ws;
}

function bindingOf(known: AgentInterface): Binding | undefined {
  return bindings.find((binding) => protocolBindings[binding] === known.protocolBinding);
}
