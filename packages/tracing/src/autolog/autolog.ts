import { traceAiSdkModel } from "./ai-sdk-model.ts";
import { traceMcpClient } from "./mcp-client.ts";
import { traceOpenAiClient } from "./openai-client.ts";
import { switchAutolog } from "./switches.ts";
import type { AutologOptions } from "./switches.ts";

function configure(options: AutologOptions): void {
  switchAutolog(options);
}

/**
 * Traced copies of clients: `autolog.openai(new OpenAI())`, `autolog.aisdk(openai("gpt-5"))`, `autolog.mcp(client)`. The client that was
 * given stays as it is. Spans go under whatever span is open. A step has one span: what a turn of Weft's agents records itself, its model
 * calls and its MCP tools, gets none here; what the turn's own code asks beside that, a tool's or a `defineAgent`'s, does.
 * `autolog({ disable: true | ["openai"] })` switches all or some off, traced copies that exist included.
 */
export const autolog = Object.assign(configure, {
  openai: traceOpenAiClient,
  aisdk: traceAiSdkModel,
  mcp: traceMcpClient,
});
