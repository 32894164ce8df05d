import { tokenize, type Operator, type Token } from "./tokenize.ts";

/** The operations of the calculator: each is one tool. */
export type OperationName = "add" | "subtract" | "multiply" | "divide" | "power" | "remainder" | "root";

export type Expression =
  | { readonly type: "number"; readonly value: number }
  | { readonly type: "operation"; readonly name: OperationName; readonly operands: readonly Expression[] };

const binary: Readonly<Record<Operator, OperationName>> = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "^": "power",
  mod: "remainder",
};

/** What people write around a sum: it is peeled off before reading, everything else must be arithmetic. */
const preamble =
  /^(?:(?:hi|hello|hey|please|can you|could you|tell me|what is|what's|whats|how much is|how much are|calculate|compute|evaluate|solve|work out|the (?:value|result|answer|sum) of|the)\b[\s,:!]*)+/i;
const ending = /(?:[\s,]*(?:please|equals?|equal to|is)\b)*[\s=?!.]*$/i;

/** Deeper nesting than this, or longer text, is refused rather than recursed into. */
const maxDepth = 200;
const maxLength = 2_000;

/**
 * Reads an arithmetic question (`What is (2 + 3) * 4?`). Returns `undefined` for anything that is not wholly
 * arithmetic: a number inside a sentence is no sum, and an honest "I cannot" beats a guess.
 */
export function parseQuestion(question: string): Expression | undefined {
  if (question.length > maxLength) return undefined;
  const text = question.trim().replace(preamble, "").replace(ending, "");
  const tokens = tokenize(text);
  if (tokens === undefined || tokens.length === 0) return undefined;
  return new Reader(tokens).readAll();
}

/** Recursive descent: sum > product > sign > power > postfix percent > atom. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  readAll(): Expression | undefined {
    const expression = this.#sum();
    return this.#at === this.#tokens.length ? expression : undefined;
  }

  #sum(): Expression | undefined {
    let left = this.#product();
    for (;;) {
      const operator = this.#operator("+", "-");
      if (left === undefined || operator === undefined) return left;
      left = combine(operator, left, this.#product());
    }
  }

  #product(): Expression | undefined {
    let left = this.#signed();
    for (;;) {
      if (left === undefined) return undefined;
      const operator = this.#operator("*", "/", "mod");
      if (operator !== undefined) left = combine(operator, left, this.#signed());
      else if (this.#peek()?.type === "open" || this.#peek()?.type === "root")
        left = combine("*", left, this.#signed());
      else return left;
    }
  }

  #signed(): Expression | undefined {
    if (++this.#depth > maxDepth) return undefined;
    const operator = this.#operator("+", "-");
    const value = operator === undefined ? this.#power() : this.#signed();
    this.#depth--;
    return operator === "-" ? negate(value) : value;
  }

  #power(): Expression | undefined {
    const base = this.#percent();
    if (base === undefined || this.#operator("^") === undefined) return base;
    return combine("^", base, this.#signed());
  }

  /** `15%` is 15 / 100, so `15% of 80` is 15 / 100 * 80; `17 % 5` is a remainder. */
  #percent(): Expression | undefined {
    const value = this.#atom();
    if (value === undefined || this.#peek()?.type !== "percent") return value;
    this.#at++;
    const next = this.#peek()?.type;
    if (next === "number" || next === "open") return combine("mod", value, this.#percent());
    return combine("/", value, { type: "number", value: 100 });
  }

  #atom(): Expression | undefined {
    const token = this.#tokens[this.#at++];
    if (token?.type === "number") return token;
    if (token?.type !== "root" && token?.type !== "open") return undefined;
    if (++this.#depth > maxDepth) return undefined;
    const inner = token.type === "root" ? this.#atom() : this.#sum();
    this.#depth--;
    if (token.type === "root") return inner && { type: "operation", name: "root", operands: [inner] };
    return this.#tokens[this.#at++]?.type === "close" ? inner : undefined;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #operator(...accepted: readonly Operator[]): Operator | undefined {
    const token = this.#peek();
    if (token?.type !== "operator" || !accepted.includes(token.value)) return undefined;
    this.#at++;
    return token.value;
  }
}

function combine(
  operator: Operator,
  left: Expression,
  right: Expression | undefined,
): Expression | undefined {
  return right && { type: "operation", name: binary[operator], operands: [left, right] };
}

function negate(value: Expression | undefined): Expression | undefined {
  if (value === undefined) return undefined;
  if (value.type === "number") return { type: "number", value: -value.value };
  return { type: "operation", name: "multiply", operands: [{ type: "number", value: -1 }, value] };
}
