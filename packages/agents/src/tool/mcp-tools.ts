/*
 * Tools of MCP servers, by the official SDK (SEMANTICS O4).
 *
 * Job: connects, lists the server's tools, calls them.
 * Owns: the connection, unless the caller brought it. Does not own: the server, or whether a call is allowed.
 *
 * I1  The SDK is loaded when it is first needed, and only then.
 * I2  A call carries the active trace context in `params._meta` (SPANS.md, Carriers).
 */
import { WeftError } from "@weft/tracing";
import { injectCarrier } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { trace } from "@opentelemetry/api";
import { activeContext } from "@weft/tracing/internal";
import type { Tool } from "./tool.ts";
import { tool } from "./tool.ts";

/** What we use of the SDK's `Client`. */
export interface McpClient {
  listTools(params?: { cursor?: string }): Promise<{
    readonly tools: readonly {
      readonly name: string;
      readonly description?: string | undefined;
      readonly inputSchema: { readonly [keyword: string]: unknown };
    }[];
    readonly nextCursor?: string | undefined;
  }>;
  // Method syntax on purpose: its parameters are compared bivariantly, so that the real, wider types fit.
  callTool(
    params: McpCall,
    schema?: undefined,
    options?: { signal?: AbortSignal; timeout?: number },
  ): Promise<unknown>;
  close(): Promise<void>;
}

interface McpCall {
  name: string;
  arguments?: Record<string, unknown>;
  _meta?: Record<string, unknown>;
}

export interface McpOptions {
  /** Put before each tool's name, with `_` between: for servers whose tools have the same names. */
  readonly prefix?: string;
  /** Which tools are taken; default: all. */
  readonly only?: readonly string[];
  /** As with `tool`. */
  readonly needsApproval?: boolean | ((name: string, input: unknown) => boolean);
  readonly timeoutMs?: number;
}

export type McpTarget =
  | McpClient
  | (McpOptions & {
      /** A server as a process that speaks over its standard input and output. */
      readonly command: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly cwd?: string;
    })
  | (McpOptions & {
      /** A server over Streamable HTTP. */
      readonly url: string;
      readonly headers?: Readonly<Record<string, string>>;
    });

/** The tools of an MCP server; disposing closes the connection that was opened for them. */
export type McpTools = readonly Tool[] & AsyncDisposable;

/**
 * Connects to an MCP server and gives its tools: `await using tools = await mcpTools({ command, args })`. A client of
 * the SDK's that is connected already is used as it is and not closed. Raises `missing_dependency` without the SDK,
 * `unavailable` for a server that cannot be reached.
 */
export async function mcpTools(target: McpTarget, options: McpOptions = {}): Promise<McpTools> {
  const isOwn = !isClient(target);
  const client = isOwn ? await connect(target) : target;
  const settings = isOwn ? { ...target, ...options } : options;
  try {
    const tools = await listTools(client, settings);
    const close = async (): Promise<void> => (isOwn ? client.close() : undefined);
    return Object.assign(tools, { [Symbol.asyncDispose]: close });
  } catch (error) {
    if (isOwn) await client.close().catch(() => undefined);
    throw WeftError.from(error, "unavailable");
  }
}

function isClient(target: McpTarget): target is McpClient {
  return typeof (target as Partial<McpClient>).callTool === "function";
}

async function connect(target: Exclude<McpTarget, McpClient>): Promise<McpClient> {
  const { Client } = await load(() => import("@modelcontextprotocol/sdk/client/index.js"));
  const client = new Client({ name: "weft", version: "0.1.0" });
  const where = "url" in target ? target.url : target.command;
  try {
    await client.connect(await openTransport(target));
  } catch (cause) {
    await client.close().catch(() => undefined);
    throw new WeftError("unavailable", `The MCP server ${where} cannot be reached.`, { cause });
  }
  return client;
}

async function openTransport(target: Exclude<McpTarget, McpClient>) {
  if ("url" in target) {
    const { url, headers = {} } = target;
    if (!URL.canParse(url)) throw new WeftError("invalid_argument", `"${url}" is not a URL.`);
    const { StreamableHTTPClientTransport } = await load(
      () => import("@modelcontextprotocol/sdk/client/streamableHttp.js"),
    );
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { ...headers } },
    });
    return transport as Parameters<InstanceType<Awaited<ReturnType<typeof loadClient>>>["connect"]>[0];
  }
  const { command, args = [], env, cwd } = target;
  const { StdioClientTransport } = await load(() => import("@modelcontextprotocol/sdk/client/stdio.js"));
  return new StdioClientTransport({
    command,
    args: [...args],
    ...(env ? { env: { ...env } } : {}),
    ...(cwd === undefined ? {} : { cwd }),
  });
}

async function loadClient() {
  return (await import("@modelcontextprotocol/sdk/client/index.js")).Client;
}

async function load<T>(module: () => Promise<T>): Promise<T> {
  try {
    return await module();
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    const text = "MCP tools need the MCP SDK: npm install @modelcontextprotocol/sdk";
    throw new WeftError("missing_dependency", text, { cause });
  }
}

async function listTools(client: McpClient, options: McpOptions): Promise<Tool[]> {
  const tools: Tool[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor });
    for (const each of page.tools) {
      if (!options.only || options.only.includes(each.name)) tools.push(toTool(client, each, options));
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return tools;
}

function toTool(
  client: McpClient,
  { name, description, inputSchema }: Awaited<ReturnType<McpClient["listTools"]>>["tools"][number],
  { prefix, needsApproval = false, timeoutMs = 30_000 }: McpOptions,
): Tool {
  return tool({
    name: prefix === undefined ? name : `${prefix}_${name}`,
    description: description?.trim() ? description : `The tool ${name} of an MCP server.`,
    parameters: inputSchema,
    timeoutMs,
    needsApproval:
      typeof needsApproval === "function" ? (input) => needsApproval(name, input) : needsApproval,
    async execute(input, { signal }) {
      trace.getSpan(activeContext())?.setAttribute(Attr.mcpMethodName, "tools/call");
      const call = { name, arguments: input, _meta: { ...injectCarrier() } };
      return readResult(name, await client.callTool(call, undefined, { signal, timeout: timeoutMs }));
    },
  });
}

interface McpContent {
  readonly type?: string;
  readonly text?: string;
  readonly mimeType?: string;
  readonly uri?: string;
  readonly name?: string;
  readonly resource?: { readonly text?: string; readonly uri?: string };
}

/** Texts joined; structured content where there is no text. Raises `tool_failed` with the server's words. */
function readResult(name: string, given: unknown): unknown {
  const result = given as {
    readonly content?: readonly McpContent[];
    readonly structuredContent?: unknown;
    readonly isError?: boolean;
  };
  const text = (result.content ?? []).map(textOf).join("\n");
  if (result.isError) throw new WeftError("tool_failed", text || `The MCP tool "${name}" failed.`);
  return text === "" && result.structuredContent !== undefined ? result.structuredContent : text;
}

function textOf({ type, text, mimeType, uri, resource }: McpContent): string {
  if (type === "text") return text ?? "";
  if (type === "resource") return resource?.text ?? `[resource ${resource?.uri ?? ""}]`;
  return `[${type ?? "content"} ${uri ?? mimeType ?? ""}]`;
}
