import { randomUUID } from "node:crypto";
import { TaskPushNotificationConfig, TaskState } from "@a2a-js/sdk";
import type {
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  StreamResponse,
} from "@a2a-js/sdk";
import {
  PushNotificationNotSupportedError,
  RequestMalformedError,
  TaskNotFoundError,
} from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import type { Context } from "@weft/tracing/internal";
import { parseGuardedUrl } from "../edge/url-guard.ts";
import type { TaskKey, TaskStore } from "../store/task-store.ts";
import { PushSender } from "./push-sender.ts";
import type { PushSenderOptions } from "./push-sender.ts";

/** `false`: this service sends no push notifications, and says so. */
export type PushOptions = PushSenderOptions | false;

const maxConfigs = 10;

/** The push notification configurations of tasks (A2A 1.0, 3.1.7 to 3.1.10), and what is sent by them. */
export class PushConfigs {
  readonly #store: TaskStore;
  readonly #options: PushOptions;
  readonly #sender: PushSender;

  constructor(store: TaskStore, options: PushOptions = {}) {
    this.#store = store;
    this.#options = options;
    this.#sender = new PushSender(options === false ? {} : options);
  }

  /** @throws PushNotificationNotSupportedError, or RequestMalformedError for a URL that must not be called */
  check(config: TaskPushNotificationConfig): void {
    if (this.#options === false) throw new PushNotificationNotSupportedError();
    try {
      parseGuardedUrl(config.url, this.#options.urls);
    } catch (error) {
      throw new RequestMalformedError(WeftError.from(error).message);
    }
  }

  async put(key: TaskKey, given: TaskPushNotificationConfig): Promise<TaskPushNotificationConfig> {
    this.check(given);
    const config = { ...given, id: given.id || randomUUID(), taskId: key.id };
    const known = await this.#all(key);
    if (known.length >= maxConfigs && known.every(({ id }) => id !== config.id)) {
      throw new RequestMalformedError(`A task has at most ${maxConfigs} push notification configurations.`);
    }
    await this.#store.putPush(key, {
      id: config.id,
      body: JSON.stringify(TaskPushNotificationConfig.toJSON(config)),
    });
    return config;
  }

  async get(key: TaskKey, id: string): Promise<TaskPushNotificationConfig> {
    const config = (await this.#all(key)).find((known) => known.id === id);
    if (config) return config;
    throw new TaskNotFoundError(`Task ${key.id} has no push notification configuration "${id}".`);
  }

  async list(
    key: TaskKey,
    { pageSize, pageToken }: ListTaskPushNotificationConfigsRequest,
  ): Promise<ListTaskPushNotificationConfigsResponse> {
    const all = await this.#all(key);
    const from = pageToken === "" ? 0 : all.findIndex(({ id }) => id === pageToken) + 1;
    const configs = pageSize > 0 ? all.slice(from, from + pageSize) : all.slice(from);
    const hasMore = from + configs.length < all.length;
    return { configs, nextPageToken: hasMore ? configs.at(-1)!.id : "" };
  }

  /** Deleting what is not there is no error (A2A 1.0, 3.1.10). */
  async delete(key: TaskKey, id: string): Promise<void> {
    if (this.#options === false) throw new PushNotificationNotSupportedError();
    await this.#store.deletePush(key, id);
  }

  /** Tells all who asked of a state change, in the background. `number`: the event's, unique in its task. */
  notify(key: TaskKey, event: StreamResponse, number: string, parent: Context): void {
    if (this.#options === false || event.payload?.$case !== "statusUpdate") return;
    const state = event.payload.value.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
    const send = async (): Promise<void> => {
      for (const config of await this.#all(key)) {
        this.#sender.send({ id: `${key.id}/${number}/${config.id}`, config, response: event, state, parent });
      }
    };
    send().catch(() => undefined);
  }

  close(signal: AbortSignal): Promise<void> {
    return this.#sender.close(signal);
  }

  async #all(key: TaskKey): Promise<TaskPushNotificationConfig[]> {
    if (this.#options === false) throw new PushNotificationNotSupportedError();
    const rows = await this.#store.listPush(key);
    return rows.map(({ body }) => TaskPushNotificationConfig.fromJSON(JSON.parse(body)));
  }
}
