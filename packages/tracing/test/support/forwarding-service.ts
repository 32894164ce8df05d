import { createServer, request } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SpanKind } from "@opentelemetry/api";
import { extract, inject, withSpan } from "../../src/index.ts";

export type Header = readonly [name: string, value: string];

/** A service as users write it with `extract` and `inject`, and the far end that it calls. */
export interface ForwardingService extends AsyncDisposable {
  /** Sends one request with exactly these headers, and gives back the raw headers of the `calls` requests that it led to. */
  send(headers: readonly Header[], calls?: number): Promise<readonly (readonly Header[])[]>;
}

export async function startForwardingService(): Promise<ForwardingService> {
  const arrived: Header[][] = [];
  const far = createServer((request, response) => {
    arrived.push(pairs(request.rawHeaders));
    response.end();
  });
  const near = createServer((request, response) => {
    const parent = extract(request.headers);
    const answer = async (): Promise<void> => {
      const calls = Number(await readText(request));
      await withSpan({ name: "POST /forward", kind: SpanKind.SERVER, parent }, async () => {
        for (let call = 0; call < calls; call += 1) {
          await withSpan({ name: "POST", kind: SpanKind.CLIENT }, () =>
            post(portOf(far), flat(inject()), ""),
          );
        }
      });
      response.end();
    };
    answer().catch((error: unknown) => response.destroy(error as Error));
  });
  await Promise.all([listen(far), listen(near)]);
  return {
    async send(headers, calls = 1) {
      arrived.length = 0;
      await post(portOf(near), headers.flat(), String(calls));
      return [...arrived];
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([close(far), close(near)]);
    },
  };
}

function post(port: number, headers: readonly string[], body: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const own = ["host", `127.0.0.1:${port}`, "content-length", String(body.length)];
  const options = { method: "POST", host: "127.0.0.1", port, headers: [...own, ...headers], agent: false };
  request(options, (response) => {
    response.resume().on("end", () => resolve());
  })
    .on("error", reject)
    .end(body);
  return promise;
}

async function readText(message: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) text += String(chunk);
  return text;
}

function flat(record: Readonly<Record<string, string>>): string[] {
  return Object.entries(record).flat();
}

function pairs(raw: readonly string[]): Header[] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ""] as const] : []));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
