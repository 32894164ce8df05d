import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface OpenAiServer extends AsyncDisposable {
  readonly baseURL: string;
  /** Headers of the requests so far. */
  readonly requests: { readonly traceparent: string | undefined; readonly path: string }[];
}

const usage = {
  prompt_tokens: 9,
  completion_tokens: 3,
  total_tokens: 12,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 1 },
};
const common = { id: "chatcmpl-1", created: 1, model: "gpt-test-2026" };
const toolCall = { id: "call_1", type: "function", function: { name: "add", arguments: '{"a":2}' } };

/** A local server with OpenAI's wire format: it answers `model` "fails" with an error and "breaks" with half a stream. */
export async function startOpenAiServer(): Promise<OpenAiServer> {
  const requests: { traceparent: string | undefined; path: string }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (data: Buffer) => (text += String(data)));
    request.on("end", () => {
      const path = request.url ?? "";
      requests.push({ traceparent: request.headers["traceparent"] as string | undefined, path });
      answer(path, JSON.parse(text) as Record<string, unknown>, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(path: string, body: Record<string, unknown>, response: ServerResponse): void {
  if (body["model"] === "fails")
    return json(response, 400, { error: { message: "no such model", type: "invalid" } });
  if (path.endsWith("/embeddings")) {
    const data = [{ object: "embedding", index: 0, embedding: [0.123456, 0.2] }];
    return json(response, 200, {
      object: "list",
      model: "embed-2026",
      data,
      usage: { prompt_tokens: 5, total_tokens: 5 },
    });
  }
  if (path.endsWith("/responses")) return json(response, 200, responseObject);
  if (body["stream"] === true) return stream(response, body["model"] === "breaks");
  const message = {
    role: "assistant",
    content: "5",
    tool_calls: body["tools"] === undefined ? undefined : [toolCall],
  };
  const choices = [{ index: 0, finish_reason: "stop", message }];
  json(response, 200, { ...common, object: "chat.completion", choices, usage });
}

const responseObject = {
  id: "resp_1",
  object: "response",
  created_at: 1,
  status: "completed",
  model: "gpt-test-2026",
  output: [
    {
      id: "m",
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: "5", annotations: [] }],
    },
  ],
  usage: { input_tokens: 7, output_tokens: 2, total_tokens: 9, input_tokens_details: { cached_tokens: 1 } },
};

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function stream(response: ServerResponse, breaks: boolean): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (fields: object): void => {
    response.write(`data: ${JSON.stringify({ ...common, object: "chat.completion.chunk", ...fields })}\n\n`);
  };
  for (const content of ["The ", "sum ", "is ", "5."])
    send({ choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }] });
  if (breaks) {
    response.write('data: {"error":{"message":"overloaded","type":"server_error"}}\n\n');
    return void response.end();
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}
