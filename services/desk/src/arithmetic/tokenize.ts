/** A piece of an arithmetic question: a number, an operator, a named function, or a parenthesis. */
export type Token =
  | { readonly type: "number"; readonly value: number }
  | { readonly type: "operator"; readonly value: Operator }
  | { readonly type: "root" }
  | { readonly type: "percent" }
  | { readonly type: "open" }
  | { readonly type: "close" };

export type Operator = "+" | "-" | "*" | "/" | "^" | "mod";

/** Words a person uses for an operator, longest first, so that "divided by" is not read as a stranger. */
const words: readonly (readonly [RegExp, Token])[] = [
  [/^to the power of\b/i, { type: "operator", value: "^" }],
  [/^raised to\b/i, { type: "operator", value: "^" }],
  [/^square root of\b/i, { type: "root" }],
  [/^multiplied by\b/i, { type: "operator", value: "*" }],
  [/^divided by\b/i, { type: "operator", value: "/" }],
  [/^percent\b/i, { type: "percent" }],
  [/^of\b/i, { type: "operator", value: "*" }],
  [/^modulo\b|^mod\b/i, { type: "operator", value: "mod" }],
  [/^times\b/i, { type: "operator", value: "*" }],
  [/^minus\b/i, { type: "operator", value: "-" }],
  [/^plus\b/i, { type: "operator", value: "+" }],
  [/^over\b/i, { type: "operator", value: "/" }],
  [/^sqrt\b/i, { type: "root" }],
  [/^x(?=\s*[\d(.])/i, { type: "operator", value: "*" }],
];

const symbols: Readonly<Record<string, Token>> = {
  "+": { type: "operator", value: "+" },
  "-": { type: "operator", value: "-" },
  "−": { type: "operator", value: "-" },
  "–": { type: "operator", value: "-" },
  "*": { type: "operator", value: "*" },
  "×": { type: "operator", value: "*" },
  "·": { type: "operator", value: "*" },
  "/": { type: "operator", value: "/" },
  "÷": { type: "operator", value: "/" },
  ":": { type: "operator", value: "/" },
  "^": { type: "operator", value: "^" },
  "√": { type: "root" },
  "%": { type: "percent" },
  "(": { type: "open" },
  ")": { type: "close" },
  "[": { type: "open" },
  "]": { type: "close" },
};

/** Digits with optional thousands separators, a fraction and an exponent: `1,234.5e-3`, `.5`. */
const number = /^(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+)?(?:e[+-]?\d+)?/i;

/** Splits text into tokens; `undefined` when any of it is not arithmetic. */
export function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const piece = nextToken(rest);
    if (piece === undefined) return undefined;
    tokens.push(piece.token);
    rest = rest.slice(piece.length).trimStart();
  }
  return tokens;
}

function nextToken(rest: string): { readonly token: Token; readonly length: number } | undefined {
  const digits = /^[\d.]/.test(rest) ? number.exec(rest)?.[0] : undefined;
  if (digits !== undefined && digits !== "") {
    return { token: { type: "number", value: Number(digits.replaceAll(",", "")) }, length: digits.length };
  }
  if (rest.startsWith("**")) return { token: { type: "operator", value: "^" }, length: 2 };
  const symbol = symbols[rest.charAt(0)];
  if (symbol !== undefined) return { token: symbol, length: 1 };
  for (const [pattern, token] of words) {
    const match = pattern.exec(rest);
    if (match !== null) return { token, length: match[0].length };
  }
  return undefined;
}
