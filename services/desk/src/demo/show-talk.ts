import type { AgentEvent } from "@weft/agents";

/** Where the talk is shown; colours only where someone looks. */
export interface Screen {
  write(text: string): void;
  readonly colours: boolean;
}

const styles = { bold: "\u001B[1m", dim: "\u001B[2m", reset: "\u001B[0m" } as const;

/** Shows a chat's events as they happen: who speaks and why, what is said, which tools are called. */
export class TalkView {
  readonly #screen: Screen;
  /** The message whose text is on the current line, if any. */
  #open: string | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(event: AgentEvent): void {
    switch (event.type) {
      case "speaker-selected":
        this.#line(this.#dim(`→ ${event.chosen ?? "nobody"} (${event.reason ?? event.method})`));
        break;
      case "text-delta":
        if (event.path.length === 0) this.#say(event.from, event.text);
        break;
      case "message":
        if (event.path.length === 0) this.#message(event.from, event.text);
        break;
      case "tool-call":
        this.#line(this.#dim(`  ${event.from} calls ${event.toolName} ${JSON.stringify(event.input)}`));
        break;
      case "tool-result":
        this.#line(this.#dim(`  = ${event.error ?? String(event.output)}`));
        break;
      default:
        break;
    }
  }

  #message(from: string, text: string): void {
    if (this.#open === undefined) this.#say(from, text);
    this.#endLine();
  }

  #say(from: string, text: string): void {
    if (this.#open !== from) {
      this.#endLine();
      this.#screen.write(this.#bold(`${from}: `));
      this.#open = from;
    }
    this.#screen.write(text);
  }

  #line(text: string): void {
    this.#endLine();
    this.#screen.write(`${text}\n`);
  }

  #endLine(): void {
    if (this.#open !== undefined) this.#screen.write("\n");
    this.#open = undefined;
  }

  #bold(text: string): string {
    return this.#screen.colours ? `${styles.bold}${text}${styles.reset}` : text;
  }

  #dim(text: string): string {
    return this.#screen.colours ? `${styles.dim}${text}${styles.reset}` : text;
  }
}
