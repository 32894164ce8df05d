import { A2AError } from "@a2a-js/sdk/errors";
import { isRecord } from "../agent/message.ts";
import { statusError } from "./status-error.ts";

/** JSON-RPC's internal error: what a service of 0.3 answers for whatever A2A has no code for. */
const internalCode = -32603;

/**
 * `fetch` for the SDK's REST transport of A2A 0.3, which knows errors by their JSON-RPC code alone. One that has none of
 * A2A's is told by its HTTP status: a login that is missing, a limit, a service that is down.
 */
export function legacyRestFetch(inner: typeof fetch): typeof fetch {
  return async (url, init) => {
    const answer = await inner(url, init);
    if (answer.ok) return answer;
    const text = await answer.text();
    const body = parse(text);
    if (isRecord(body) && typeof body["code"] === "number" && body["code"] !== internalCode) {
      return new Response(text, { status: answer.status });
    }
    throw errorOf(answer.status, body);
  };
}

function errorOf(status: number, body: unknown): A2AError {
  if (!isRecord(body)) return statusError(status, body);
  const { message, data } = body;
  const isWeft = isRecord(data) && typeof data["weftCode"] === "string";
  if (!isWeft) return statusError(status, { error: { message } });
  return new A2AError({ message: String(message), metadata: data as Record<string, string> });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
