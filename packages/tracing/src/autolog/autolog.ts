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
 * given stays as it is. Spans go under whatever span is open; where Weft's own agents record the same step nothing is added.
 * `autolog({ disable: true | ["openai"] })` switches all or some off, traced copies that exist included.
 */
export const autolog = Object.assign(configure, {
  openai: traceOpenAiClient,
  aisdk: traceAiSdkModel,
  mcp: traceMcpClient,
});
