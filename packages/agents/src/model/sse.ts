import { WeftError } from "@weft/tracing";

/** A line longer than this is an attack or a mistake, in characters. */
const lineLimit = 16 * 1024 * 1024;

/** The `data` of each server-sent event of a body (https://html.spec.whatwg.org/#event-stream-interpretation). */
export async function* readServerSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let buffer = "";
  let data: string[] = [];
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (;;) {
      const end = lineEnd(buffer, start);
      if (end === undefined) break;
      const line = buffer.slice(start, end.at);
      start = end.next;
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
      } else if (line.startsWith("data:")) {
        data.push(line.slice(line[5] === " " ? 6 : 5));
      }
    }
    buffer = buffer.slice(start);
    if (buffer.length > lineLimit)
      throw new WeftError("protocol_error", "A server-sent event is over 16 MB.");
  }
  if (buffer.startsWith("data:")) data.push(buffer.slice(buffer[5] === " " ? 6 : 5).replace(/\r$/u, ""));
  // A stream cut in the middle of an event leaves a rest; whether that is an error, its reader knows.
  if (data.length > 0) yield data.join("\n");
}

/** Lines end in LF, CR LF or CR; a CR at the end of what is there waits for what follows. */
function lineEnd(text: string, from: number): { readonly at: number; readonly next: number } | undefined {
  const lineFeed = text.indexOf("\n", from);
  const carriage = text.indexOf("\r", from);
  if (carriage !== -1 && (lineFeed === -1 || carriage < lineFeed)) {
    if (carriage + 1 === text.length) return undefined;
    return { at: carriage, next: text[carriage + 1] === "\n" ? carriage + 2 : carriage + 1 };
  }
  return lineFeed === -1 ? undefined : { at: lineFeed, next: lineFeed + 1 };
}
