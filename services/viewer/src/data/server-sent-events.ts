/** One event of an SSE stream (HTML standard, section 9.2). */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Reads a stream of server-sent events; ends when the stream does. Read by fetch and not by `EventSource`, which cannot send a token.
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const text = rest + decoder.decode(value, { stream: true });
      const { blocks, left } = splitBlocks(text);
      rest = left;
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    // Also on an early return: the connection is given back.
    await reader.cancel().catch(() => undefined);
  }
}

function splitBlocks(text: string): { readonly blocks: readonly string[]; readonly left: string } {
  const parts = text.split(/\r\n\r\n|\n\n|\r\r(?!\n)/);
  return { blocks: parts.slice(0, -1), left: parts.at(-1) ?? "" };
}

function parseBlock(block: string): ServerSentEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [field, value] = parseLine(line);
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { event, data: data.join("\n") };
}

function parseLine(line: string): readonly [field: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(" ") ? value.slice(1) : value];
}
