/** A client process of the benchmark: `a2a-client.ts <subject> <url> <OTLP url>`. It is told what to do and for how long. */
import { randomUUID } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import process from "node:process";
import { Packr } from "msgpackr";
import { Agent, request } from "undici";
import { WebSocket } from "ws";
import type { SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import { ClientFactory } from "@a2a-js/sdk/client";
import type { Client } from "@a2a-js/sdk/client";
import { startTracing } from "@weft/tracing/node";
import { createSendRequest } from "../src/a2a/send-request.ts";
import { createMessage } from "../src/agent/index.ts";
import { connect } from "../src/index.ts";
import { createBenchCard } from "./a2a-sdk-server.ts";
import { directText, subjects } from "./a2a-subjects.ts";
import type { BenchSubject, BenchWork, ClientFigures } from "./a2a-subjects.ts";

/** Sends one message of that many text deltas; resolves to what arrived: 1 for an answer, else the events. */
type Call = (work: BenchWork["work"], events: number) => Promise<number>;

async function open({ peer, binding }: BenchSubject, url: string): Promise<Call> {
  if (peer === "http") return openHttp(url);
  if (peer === "undici") return openUndici(url);
  if (peer === "ws") return openWs(url);
  return callsOf(
    peer === "sdk"
      ? await new ClientFactory().createFromAgentCard(createBenchCard(url))
      : await connect(url, { binding: binding! }),
  );
}

function callsOf(client: Client): Call {
  return async (work, events) => {
    const params = requestOf(work === "message" ? directText : String(events));
    if (work === "stream" || work === "streamed task") return drain(client.sendMessageStream(params));
    const answer = await client.sendMessage(params);
    if ("parts" in answer !== (work === "message")) throw new Error(`No answer to a ${work}.`);
    return 1;
  };
}

function requestOf(text: string): SendMessageRequest {
  return createSendRequest([createMessage(text)], { isWeft: false });
}

async function drain(stream: AsyncIterable<StreamResponse>): Promise<number> {
  let count = 0;
  for await (const _ of stream) count++;
  return count;
}

function openHttp(url: string): Call {
  const agent = new HttpAgent({ keepAlive: true });
  return () => {
    const body = rawBody();
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const sent = httpRequest(url, { agent, method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        JSON.parse(text);
        resolve(1);
      });
    });
    sent.on("error", reject);
    sent.end(body);
    return promise;
  };
}

function openUndici(url: string): Call {
  const dispatcher = new Agent();
  const headers = { "content-type": "application/json" };
  return async () => {
    const answer = await request(url, { dispatcher, method: "POST", headers, body: rawBody() });
    await answer.body.json();
    return 1;
  };
}

async function openWs(url: string): Promise<Call> {
  const socket = new WebSocket(url.replace("http", "ws"), { perMessageDeflate: false });
  await new Promise((resolve) => socket.once("open", resolve));
  const packr = new Packr({ useRecords: false });
  const waiting = new Map<number, (count: number) => void>();
  let next = 0;
  socket.on("message", (data) => {
    const frame = packr.unpack(data as Buffer) as { id: number };
    waiting.get(frame.id)?.(1);
    waiting.delete(frame.id);
  });
  return () => {
    const id = next++;
    const { promise, resolve } = Promise.withResolvers<number>();
    waiting.set(id, resolve);
    socket.send(packr.pack({ id, method: "SendMessage", params: rawParams() }));
    return promise;
  };
}

function rawBody(): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendMessage", params: rawParams() });
}

function rawParams(): object {
  return { message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text: "1" }] } };
}

/** Keeps `inFlight` calls open for `ms`. */
async function measure(
  call: Call,
  { work, inFlight, events = 1 }: BenchWork,
  ms: number,
): Promise<ClientFigures> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let operations = 0;
  const worker = async (): Promise<void> => {
    do {
      const arrived = await call(work, events);
      operations += work === "stream" ? arrived : 1;
    } while (performance.now() - start < ms);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const { user, system } = process.cpuUsage(cpu);
  return { operations, ms: performance.now() - start, cpu: user + system };
}

const [name, url = "", endpoint = ""] = process.argv.slice(2);
const subject = subjects.find((known) => known.name === name)!;
const tracing = startTracing({
  enabled: subject.isTraced === true,
  serviceName: "bench-client",
  endpoint,
  content: "delta",
});
const call = await open(subject, url);
process.on("message", ({ work, ms }: { work: BenchWork; ms: number }) => {
  void measure(call, work, ms).then((figures) => process.send!(figures));
});
process.once("disconnect", () => void tracing.shutdown().then(() => process.exit()));
process.send!("ready");
