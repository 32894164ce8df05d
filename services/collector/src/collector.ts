/**
 * The collector: OTLP in, traces out, over HTTP.
 *
 * Job: puts the parts together and owns their lives.
 * Owns: the server, the store, the live feed. Does not own: signals, the process.
 *
 * I1 When `startCollector` resolves, the address is bound and the file is open.
 * I2 When `close` resolves, every acknowledged span is in the file, and nothing of it holds the process.
 */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WeftError } from "@weft/tracing";
import { Access, isLoopback } from "./http/access.ts";
import { openExchange } from "./http/exchange.ts";
import { LiveFeed } from "./http/live-feed.ts";
import { ByteBudget } from "./http/read-body.ts";
import { route } from "./http/router.ts";
import type { RouterParts } from "./http/router.ts";
import { findViewer, ViewerFiles } from "./http/viewer-files.ts";
import type { Store } from "./store/store.ts";
import { openWorkerStore } from "./store/worker-store.ts";

export interface CollectorOptions {
  /** Default 127.0.0.1. Any other than loopback needs a `token`, or `insecure: true`. */
  readonly host?: string;
  /** Default 4318; 0: any free one. */
  readonly port?: number;
  /** Path of the SQLite file, created with its folder. Default: traces live in memory and end with the process. */
  readonly data?: string;
  /** Callers must send it as `Authorization: Bearer`. Default: none. */
  readonly token?: string;
  /** Serve others than this machine without a token. Default false. */
  readonly insecure?: boolean;
  /** Folder of the viewer's build; false: none. Default: the viewer that ships with the collector, if it is built. */
  readonly viewer?: string | false;
  readonly limits?: CollectorLimits;
  /** Milliseconds without a word after which a process that reported is lost. Default 15,000. */
  readonly silenceMs?: number;
}

export interface CollectorLimits {
  /** A request's body as sent. Default 32 MiB. */
  readonly bodyBytes?: number;
  /** A request's body after gzip. Default 128 MiB. */
  readonly inflatedBytes?: number;
  /** Bodies of all requests that arrive or wait to be stored. Default 256 MiB. */
  readonly queueBytes?: number;
}

export interface Collector extends AsyncDisposable {
  /** `http://host:port` */
  readonly url: string;
  readonly port: number;
  /** Ends requests under way (at most 5 s), commits, and lets the file go. Idempotent. */
  close(): Promise<void>;
}

const closeDeadlineMs = 5_000;

/**
 * Starts a collector.
 * @throws WeftError `invalid_argument` for a host off loopback without token, an empty token, a viewer that is not
 *   there; `failed_precondition` when the port is taken, or the file in use or not a trace store
 */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const host = options.host ?? "127.0.0.1";
  checkAccess(host, options);
  const viewer = openViewer(options.viewer);
  const {
    bodyBytes = 32 * 2 ** 20,
    inflatedBytes = 128 * 2 ** 20,
    queueBytes = 256 * 2 ** 20,
  } = options.limits ?? {};
  const store = await openWorkerStore({
    queueBytes,
    ...(options.data === undefined ? {} : { path: options.data }),
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
  });
  const parts: RouterParts = {
    store,
    access: new Access({ token: options.token, host }),
    live: new LiveFeed(store),
    limits: { bodyBytes, inflatedBytes },
    budget: new ByteBudget(queueBytes),
    viewer,
  };
  const server = createServer((request, response) => void route(openExchange(request, response), parts));
  server.requestTimeout = 60_000;
  server.keepAliveTimeout = 30_000;
  try {
    const port = await listen(server, host, options.port ?? 4318);
    return toCollector(server, store, parts.live, host, port);
  } catch (error) {
    await store.close();
    throw error;
  }
}

function toCollector(server: Server, store: Store, live: LiveFeed, host: string, port: number): Collector {
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= closeAll(server, store, live));
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `http://${name}:${String(port)}`, port, close, [Symbol.asyncDispose]: close };
}

async function closeAll(server: Server, store: Store, live: LiveFeed): Promise<void> {
  live.close();
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), closeDeadlineMs);
  await ended;
  clearTimeout(deadline);
  await store.close();
}

function checkAccess(host: string, { token, insecure = false }: CollectorOptions): void {
  if (token !== undefined && token.trim() === "") {
    throw new WeftError("invalid_argument", "the token is empty: give one, or none");
  }
  if (token === undefined && !insecure && !isLoopback(host)) {
    throw new WeftError(
      "invalid_argument",
      `${host} is reachable from other machines: give a token, or say insecure: true`,
    );
  }
}

function openViewer(folder: string | false | undefined): ViewerFiles | undefined {
  if (folder === false) return undefined;
  const found = folder ?? findViewer();
  if (found === undefined) return undefined;
  try {
    return new ViewerFiles(found);
  } catch (error) {
    throw new WeftError("invalid_argument", `there is no viewer at ${found}`, { cause: error });
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): WeftError {
  const reason =
    error.code === "EADDRINUSE"
      ? `port ${String(port)} of ${host} is in use: is a collector running already? Name another port`
      : `${host}:${String(port)} cannot be listened on: ${error.message}`;
  return new WeftError("failed_precondition", reason, { cause: error });
}
