/**
 * Job: one live connection for the whole page, however many views listen.
 * Owns: starting and stopping `followLive`. Does not own: what views do with what they hear.
 *
 * I1: not connected before `start`, after `stop`, or twice at once: browsers give a host six connections over all tabs, so a
 * hidden page gives its one back.
 */
import type { ApiClient } from "./api-client.ts";
import { followLive } from "./live-feed.ts";
import type { LiveEvent, LiveState } from "./live-feed.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";

export interface LiveListener {
  readonly onEvent: (event: LiveEvent) => void;
  /** Something may have been missed: ask the collector. */
  readonly onPoll: () => void;
}

export interface LiveHub {
  readonly state: Store<LiveState>;
  readonly listen: (listener: LiveListener) => () => void;
  readonly start: () => void;
  readonly stop: () => void;
}

export function createLiveHub(client: Pick<ApiClient, "live">, pollMs?: number): LiveHub {
  const state = createStore<LiveState>("connecting");
  const listeners = new Set<LiveListener>();
  let connection: AbortController | undefined;
  return {
    state,
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: () => {
      if (connection !== undefined) return;
      connection = new AbortController();
      void followLive(client, {
        signal: connection.signal,
        onEvent: (event) => listeners.forEach((listener) => listener.onEvent(event)),
        onState: (next) => state.update(() => next),
        onPoll: () => listeners.forEach((listener) => listener.onPoll()),
        ...(pollMs === undefined ? {} : { pollMs }),
      });
    },
    stop: () => {
      connection?.abort();
      connection = undefined;
    },
  };
}
