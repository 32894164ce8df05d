import { A2A_PROTOCOL_VERSION } from "@a2a-js/sdk";
import type { AgentCard, AgentInterface, AgentProvider } from "@a2a-js/sdk";
import type { Agent, AgentSkill } from "../agent/agent.ts";
import type { Authenticator } from "../auth/auth.ts";
import {
  eventsExtensionUri,
  hopExtensionUri,
  legacyVersion,
  protocolBindings,
  wsBindingUri,
} from "./uris.ts";
import type { Binding } from "./uris.ts";

/** What a user may say on a card besides what the agent says of itself. */
export interface CardOptions {
  /** Default "1.0.0". */
  readonly version?: string;
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
  readonly provider?: AgentProvider;
  /** Media types that are taken, `image/*` for all of a kind; others are refused. Default: any is taken. */
  readonly inputModes?: readonly string[];
  /** Media types that it answers with. Default text and JSON. */
  readonly outputModes?: readonly string[];
  readonly documentationUrl?: string;
  readonly iconUrl?: string;
}

export interface CardAddress {
  /** Without a slash at the end: `http://127.0.0.1:4001/planner`. */
  readonly url: string;
  readonly bindings: readonly Binding[];
  /** `host:port`, when gRPC is served. */
  readonly grpcAddress?: string | undefined;
  /** The service's own address, when several agents share it: their WebSocket is there. */
  readonly rootUrl?: string;
  /** The tenant on gRPC and WebSocket, when several agents share an address. */
  readonly tenant?: string;
  readonly pushNotifications?: boolean;
  /** Messages are answered with messages: who leaves before the answer has given it up. Default false. */
  readonly answersWithMessages?: boolean;
  /** Whether A2A 0.3 is answered too. Default true. */
  readonly legacy?: boolean;
}

/** Of the hop extension: what the agent answers a message with, besides tasks. */
const messageParams = { respondWith: "message" };
const defaultModes = ["text/plain", "application/json"];

/** An agent's public card: its name, description and skills, never its instructions. */
export function createAgentCard(
  agent: Agent,
  address: CardAddress,
  options: CardOptions = {},
  auth?: Authenticator,
): AgentCard {
  const description = options.description || agent.description || `The agent ${agent.name}.`;
  const skills = options.skills ?? agent.skills ?? [];
  return {
    name: agent.name,
    description,
    version: options.version ?? "1.0.0",
    supportedInterfaces: interfacesOf(address),
    provider: options.provider,
    capabilities: {
      streaming: true,
      pushNotifications: address.pushNotifications ?? false,
      extendedAgentCard: false,
      extensions: [
        {
          ...extension(hopExtensionUri, "Trace context, conversation id, budget and usage across hops."),
          params: address.answersWithMessages ? messageParams : undefined,
        },
        extension(eventsExtensionUri, "The agent's events besides its text."),
      ],
    },
    securitySchemes: auth ? { [auth.scheme.name]: auth.scheme.definition } : {},
    securityRequirements: auth ? [{ schemes: { [auth.scheme.name]: { list: [] } } }] : [],
    defaultInputModes: [...(options.inputModes ?? defaultModes)],
    defaultOutputModes: [...(options.outputModes ?? defaultModes)],
    skills: (skills.length > 0 ? skills : [defaultSkill(agent, description)]).map(toCardSkill),
    signatures: [],
    ...(options.documentationUrl === undefined ? {} : { documentationUrl: options.documentationUrl }),
    ...(options.iconUrl === undefined ? {} : { iconUrl: options.iconUrl }),
  };
}

/** A2A 1.0 on every binding, then 0.3, for those who know nothing newer, on each that has it. */
function interfacesOf(address: CardAddress): AgentInterface[] {
  const current = address.bindings.map((binding) => interfaceOf(binding, address));
  if (address.legacy === false) return current;
  const legacy = current.filter(isKnownToLegacy);
  return [...current, ...legacy.map((known) => ({ ...known, protocolVersion: legacyVersion }))];
}

/** The WebSocket binding is newer than 0.3, which has no tenants either: several agents on one address are one to it. */
function isKnownToLegacy({ protocolBinding, tenant }: AgentInterface): boolean {
  return protocolBinding !== wsBindingUri && tenant === "";
}

function interfaceOf(binding: Binding, address: CardAddress): AgentInterface {
  const base = { protocolBinding: protocolBindings[binding], protocolVersion: A2A_PROTOCOL_VERSION };
  if (binding === "grpc") return { ...base, url: address.grpcAddress ?? "", tenant: address.tenant ?? "" };
  if (binding === "ws") {
    // One address for all agents of a service, so that a client of several needs one connection.
    const root = address.rootUrl ?? address.url;
    const tenant = address.rootUrl === undefined ? "" : (address.tenant ?? "");
    return { ...base, url: `${root.replace(/^http/, "ws")}/ws`, tenant };
  }
  return { ...base, url: address.url, tenant: "" };
}

/** A card has at least one skill (A2A 1.0, 4.4.1): the conversation itself. */
function defaultSkill(agent: Agent, description: string): AgentSkill {
  return {
    id: "chat",
    name: agent.name,
    description,
    tags: ["chat"],
  };
}

function toCardSkill(skill: AgentSkill): AgentCard["skills"][number] {
  return {
    id: skill.id,
    name: skill.name,
    description: skill.description,
    tags: [...(skill.tags ?? [])],
    examples: [...(skill.examples ?? [])],
    inputModes: [],
    outputModes: [],
    securityRequirements: [],
  };
}

function extension(
  uri: string,
  description: string,
): NonNullable<AgentCard["capabilities"]>["extensions"][number] {
  return { uri, description, required: false, params: undefined };
}

/** Whether the agent behind a card understands an extension. */
export function cardHasExtension(card: AgentCard, uri: string): boolean {
  return card.capabilities?.extensions.some((known) => known.uri === uri) ?? false;
}

/** Whether leaving a call is all that it takes to give up its turn. */
export function isEndedByLeaving({ capabilities }: AgentCard): boolean {
  const hop = capabilities?.extensions.find(({ uri }) => uri === hopExtensionUri);
  return hop?.params?.["respondWith"] === messageParams.respondWith;
}

/** Whether a card is a Weft service's. */
export function isWeftCard(card: AgentCard): boolean {
  return (
    card.supportedInterfaces.some((known) => known.protocolBinding === wsBindingUri) ||
    cardHasExtension(card, hopExtensionUri)
  );
}
