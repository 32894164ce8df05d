import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { spansOf } from "./decode-otlp.ts";
import type { DecodedSpan } from "./decode-otlp.ts";

export interface OtlpServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly path: string; readonly headers: IncomingMessage["headers"] }[];
  readonly spans: DecodedSpan[];
  /** Resolves when that many spans are there. */
  received(count: number): Promise<void>;
}

/** A real OTLP/HTTP receiver. `answer` may refuse: it gets the number of the request, from 1, and returns a status. */
export async function startOtlpServer(
  answer: (request: number, response: ServerResponse, body: Buffer) => number | Promise<number> = () => 200,
  port = 0,
): Promise<OtlpServer> {
  const requests: OtlpServer["requests"] = [];
  const spans: DecodedSpan[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    const receive = async (): Promise<void> => {
      // The live channel asks whether this is a Weft collector; it is none.
      if (request.method !== "POST" || request.url === "/api/live") return void response.writeHead(404).end();
      requests.push({ path: request.url ?? "", headers: request.headers });
      const body = Buffer.concat(chunks);
      const status = await answer(requests.length, response, body);
      if (status === 200) {
        spans.push(...spansOf(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body));
      }
      if (!response.writableEnded) response.writeHead(status).end();
      for (const { count, resolve } of waiting) if (spans.length >= count) resolve();
    };
    request.on("end", () => void receive());
  });
  const listening = Promise.withResolvers<void>();
  server.listen(port, "127.0.0.1", listening.resolve);
  await listening.promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    spans,
    received: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (spans.length >= count) resolve();
      else waiting.push({ count, resolve });
      return promise;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
