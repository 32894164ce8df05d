import { parseArgs } from "node:util";

import { WeftError } from "@weft/tracing";

export const defaultQuestion = "What is (44231 + 13312 / (230 - 20)) * 4?";

export const usage = `npm run demo -- [question] [--once] [--json]

  question   default: ${defaultQuestion}
  --once     end when the answer is there; otherwise the viewer stays open until Ctrl-C
  --json     print one JSON document and nothing else (with: npm run --silent demo -- --once --json)
`;

export interface DemoOptions {
  readonly question: string;
  readonly once: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** Reads the demo's arguments. Throws `invalid_argument` that holds the usage. */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        once: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    const question = positionals.join(" ").trim();
    return {
      question: question === "" ? defaultQuestion : question,
      once: values.once ?? false,
      json: values.json ?? false,
      help: values.help ?? false,
    };
  } catch (error) {
    throw new WeftError("invalid_argument", `${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}
