/** A spool keeps spans as protobuf; to a backend that takes nothing but JSON they are written anew when they leave. */
import { errorType } from "../content/error-text.ts";
import { decodeRequest } from "../otlp/decode-request.ts";
import type { HttpSender, SendResult } from "./http-sender.ts";

export type Sender = Pick<HttpSender, "send" | "close">;

/** Takes requests in protobuf and gives them to `sender` in OTLP JSON. */
export class JsonSender implements Sender {
  readonly #sender: Sender;

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  async send(segments: readonly Uint8Array[], signal: AbortSignal): Promise<SendResult> {
    let body: Buffer;
    try {
      body = Buffer.from(JSON.stringify(decodeRequest(Buffer.concat(segments))));
    } catch (error) {
      return { kind: "unreadable", reason: errorType(error) };
    }
    return this.#sender.send([body], signal);
  }

  close(): void {
    this.#sender.close();
  }
}
