import { WsChannel } from "../ws/ws-channel.ts";
import type { WsChannelOptions } from "../ws/ws-client-connection.ts";

interface Shared {
  readonly channel: WsChannel;
  users: number;
}

const anonymous = {};

/** By the login's own object, never by what it says: two logins share no connection. */
const channels = new WeakMap<object, Map<string, Shared>>();

/** A channel and how to give it back. */
export interface LeasedChannel {
  readonly channel: WsChannel;
  readonly close: () => Promise<void>;
}

/** One WebSocket for all clients of an address with the same login and limits; the last one to leave closes it. */
export function leaseChannel(login: object | undefined, options: WsChannelOptions): LeasedChannel {
  const owner = login ?? anonymous;
  const ofOwner = channels.get(owner) ?? new Map<string, Shared>();
  channels.set(owner, ofOwner);
  const { url, connectMs, idleMs, maxFrameBytes, tls, guard } = options;
  const key = JSON.stringify([url, connectMs, idleMs, maxFrameBytes, tls, guard?.name]);
  const shared = ofOwner.get(key) ?? { channel: new WsChannel(options), users: 0 };
  ofOwner.set(key, shared);
  shared.users++;
  let isOpen = true;
  return {
    channel: shared.channel,
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      if (--shared.users > 0) return;
      ofOwner.delete(key);
      await shared.channel.close();
    },
  };
}
