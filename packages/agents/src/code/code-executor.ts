/** A fenced block of a message. */
export interface CodeBlock {
  /** In lower case; "" when the fence names none. */
  readonly language: string;
  readonly code: string;
}

export interface CodeResult {
  /** 124 for a timeout, 127 for a language that cannot be run, as a shell would say. */
  readonly exitCode: number;
  /** Standard output and error as they came, cut at the executor's limit. */
  readonly output: string;
  /** Why it did not end by itself. */
  readonly reason?: "timeout" | "unknown-language" | "unavailable";
}

/** Runs code somewhere else than in the agent's own process. */
export interface CodeExecutor {
  /** Runs the blocks one after another, until one fails. Rejects only when `signal` fires. */
  execute(blocks: readonly CodeBlock[], options: { readonly signal: AbortSignal }): Promise<CodeResult>;
}

export interface CodeExecutionOptions {
  readonly executor: CodeExecutor;
  /** How many messages are looked through; default `auto`: back to the agent's own last one. */
  readonly lastMessages?: number | "auto";
}

export interface ExecutorLimits {
  /** Milliseconds for all blocks of a message; default 60,000. */
  readonly timeoutMs?: number;
  /** Bytes of output that are kept; default 65,536. */
  readonly maxOutputBytes?: number;
}

/** How a language is run: the file it is written to, and the command. */
export interface Runtime {
  readonly extension: string;
  readonly command: (file: string) => readonly [string, ...string[]];
}

const shell: Runtime = { extension: "sh", command: (file) => ["sh", file] };
const python: Runtime = { extension: "py", command: (file) => ["python3", file] };
const javascript: Runtime = { extension: "mjs", command: (file) => ["node", file] };

const runtimes: Readonly<Record<string, Runtime>> = {
  sh: shell,
  shell,
  bash: { extension: "sh", command: (file) => ["bash", file] },
  python,
  python3: python,
  py: python,
  javascript,
  js: javascript,
  mjs: javascript,
};

export function runtimeOf({ language, code }: CodeBlock): Runtime | undefined {
  if (language !== "") return Object.hasOwn(runtimes, language) ? runtimes[language] : undefined;
  // A block that names no language is a shell's when it says so, as AG2 reads it, else Python's.
  return /^#!.*\bsh\b/u.test(code) ? shell : python;
}

/** The fenced blocks of a text (CommonMark, three or more backticks or tildes), in order. */
export function findCodeBlocks(text: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let fence: string | undefined;
  let language = "";
  let lines: string[] = [];
  for (const line of text.split(/\r?\n/u)) {
    const mark = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/u.exec(line);
    if (fence === undefined && mark) {
      fence = mark[1]!;
      language = mark[2]!.toLowerCase();
      lines = [];
    } else if (fence !== undefined && mark && mark[2] === "" && mark[1]!.startsWith(fence)) {
      blocks.push({ language, code: lines.join("\n") });
      fence = undefined;
    } else if (fence !== undefined) lines.push(line);
  }
  return blocks;
}
