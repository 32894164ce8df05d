import { randomUUID } from "node:crypto";
import { A2A_PROTOCOL_VERSION, TaskPushNotificationConfig, TaskState } from "@a2a-js/sdk";
import type {
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
} from "@a2a-js/sdk";
import {
  PushNotificationNotSupportedError,
  RequestMalformedError,
  TaskNotFoundError,
} from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { contextFrom, ROOT_CONTEXT } from "@weft/tracing/internal";
import type { Context } from "@weft/tracing/internal";
import { parseGuardedUrl } from "../edge/url-guard.ts";
import { lastAttempt } from "../journal/attempt.ts";
import type { DuePush, StoredEvent, TaskKey, TaskStore } from "../store/task-store.ts";
import { formatEventNumber } from "../task/event-number.ts";
import { isInterrupted, isTerminal } from "../task/task-record.ts";
import { PushSender } from "./push-sender.ts";
import type { PushSenderOptions } from "./push-sender.ts";

/** `false`: this service sends no push notifications, and says so. */
export type PushOptions = PushSenderOptions | false;

interface StoredConfig {
  readonly config: TaskPushNotificationConfig;
  /** Of A2A. */
  readonly version: string;
}

const maxConfigs = 10;
const eventsAtOnce = 1_000;

/** Stores that were given a configuration here. */
const inUse = new WeakSet<TaskStore>();

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

  /** `version`: of A2A, in which the configuration was given, and its receiver is told. */
  async put(
    key: TaskKey,
    given: TaskPushNotificationConfig,
    version: string,
  ): Promise<TaskPushNotificationConfig> {
    this.check(given);
    const config = { ...given, id: given.id || randomUUID(), taskId: key.id };
    const known = await this.#all(key);
    if (known.length >= maxConfigs && known.every((one) => one.config.id !== config.id)) {
      throw new RequestMalformedError(`A task has at most ${maxConfigs} push notification configurations.`);
    }
    inUse.add(this.#store);
    await this.#store.putPush(key, { id: config.id, body: writeConfig({ config, version }) });
    return config;
  }

  async get(key: TaskKey, id: string): Promise<TaskPushNotificationConfig> {
    const known = (await this.#all(key)).find(({ config }) => config.id === id);
    if (known) return known.config;
    throw new TaskNotFoundError(`Task ${key.id} has no push notification configuration "${id}".`);
  }

  async list(
    key: TaskKey,
    { pageSize, pageToken }: ListTaskPushNotificationConfigsRequest,
  ): Promise<ListTaskPushNotificationConfigsResponse> {
    const all = (await this.#all(key)).map(({ config }) => config);
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

  /** Tells all who asked of a state change, in the background. */
  notify(key: TaskKey, event: StoredEvent, parent: Context): void {
    // Of a store that is this process's alone nobody else can have asked.
    if (this.#options === false || !(this.#store.isDurable || inUse.has(this.#store))) return;
    const send = async (): Promise<void> => {
      for (const config of await this.#all(key)) this.#send(key, config, event, parent);
    };
    send().catch(() => undefined);
  }

  /** Sends, in the background, what an earlier holder of a task was to send and did not. */
  async takeOver(key: TaskKey): Promise<void> {
    const due = await this.#store.listDuePush(key.scope, key.id);
    await Promise.all(due.map((push) => this.resend(push)));
  }

  /** One place of the outbox, unless another sends it by now. What had arrived all the same arrives under the same id. */
  async resend(push: DuePush): Promise<void> {
    if (this.#options === false || !(await this.#store.claimPush(push))) return;
    const { due, sent, body } = push;
    const config = readConfig(body);
    const parent = await this.#lastTurn(push);
    for (let place = sent + 1; place <= due;) {
      const events = await this.#store.events(push, place, Math.min(eventsAtOnce, due - place + 1));
      if (events.length === 0) return;
      for (const event of events) if (isTold(event)) this.#send(push, config, event, parent);
      place = events.at(-1)!.place + 1;
    }
  }

  #send(
    { scope, id }: TaskKey,
    { config, version }: StoredConfig,
    event: StoredEvent,
    parent: Context,
  ): void {
    const { response, place } = event;
    this.#sender.send({
      id: `${id}/${formatEventNumber(event)}/${config.id}`,
      config,
      version,
      response,
      state: stateOf(event),
      parent,
      onSettled: () => this.#store.markPushSent({ scope, id }, config.id, place),
    });
  }

  /** Where a notification hangs whose turn was another process's. */
  async #lastTurn(key: TaskKey): Promise<Context> {
    const carrier = lastAttempt(await this.#store.steps(key));
    return carrier ? contextFrom(carrier, ROOT_CONTEXT) : ROOT_CONTEXT;
  }

  close(signal: AbortSignal): Promise<void> {
    return this.#sender.close(signal);
  }

  async #all(key: TaskKey): Promise<StoredConfig[]> {
    if (this.#options === false) throw new PushNotificationNotSupportedError();
    const rows = await this.#store.listPush(key);
    return rows.map(({ body }) => readConfig(body));
  }
}

/** The version stands beside the configuration's own members, whose codec does not know it. */
function writeConfig({ config, version }: StoredConfig): string {
  return JSON.stringify({ ...(TaskPushNotificationConfig.toJSON(config) as object), version });
}

function readConfig(body: string): StoredConfig {
  const json = JSON.parse(body) as { version?: string };
  return { config: TaskPushNotificationConfig.fromJSON(json), version: json.version ?? A2A_PROTOCOL_VERSION };
}

function stateOf({ response: { payload } }: StoredEvent): TaskState {
  const status = payload?.$case === "statusUpdate" ? payload.value.status : undefined;
  return status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
}

/** Every state that a turn ends in; that it works is told to nobody. */
function isTold(event: StoredEvent): boolean {
  return !event.isAgentEvent && (isTerminal(stateOf(event)) || isInterrupted(stateOf(event)));
}
