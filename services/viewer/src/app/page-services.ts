import { createContext, useContext } from "react";
import { createApiClient } from "../data/api-client.ts";
import type { ApiClient } from "../data/api-client.ts";
import { createLiveHub } from "../data/live-hub.ts";
import type { LiveHub } from "../data/live-hub.ts";
import { createTraceListStore } from "../data/trace-list-store.ts";
import type { TraceListStore } from "../data/trace-list-store.ts";
import { currentToken } from "./token.ts";

/** What lives as long as the page does. */
export interface PageServices {
  readonly client: ApiClient;
  readonly live: LiveHub;
  /** Kept while a trace is open: going back is at once, and where one was. */
  readonly list: TraceListStore;
}

export function createPageServices(): PageServices {
  const client = createApiClient({ base: "", token: currentToken });
  return { client, live: createLiveHub(client), list: createTraceListStore(client) };
}

export const ServicesContext = createContext<PageServices | undefined>(undefined);

export function usePageServices(): PageServices {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new TypeError("ServicesContext has no value");
  return services;
}
