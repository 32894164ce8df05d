/**
 * A small validator for the JSON Schemas that tools are described with.
 *
 * It holds the keywords that model providers accept in a tool's parameters and says of every other keyword
 * that it was ignored (`ignoredKeywords`), so that nobody believes in a check that never ran.
 * Deliberately not: remote `$ref`, `$dynamicRef`, formats, `unevaluated*`, `if/then/else`.
 */

export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** One thing wrong with a value: where (a JSON pointer without the leading slash, "" for the whole) and what. */
export interface SchemaIssue {
  readonly path: string;
  readonly message: string;
}

const annotations = new Set(
  "$schema $id $comment $defs definitions title description default examples deprecated readOnly writeOnly format".split(
    " ",
  ),
);

/** A schema that refers to itself is followed this deep into a value, no deeper. */
const depthLimit = 64;

interface Check {
  readonly root: JsonSchema;
  readonly issues: SchemaIssue[];
  readonly depth: number;
}

type Keyword = (expected: unknown, value: unknown, path: string, check: Check, schema: Schema) => void;
type Schema = { readonly [keyword: string]: unknown };

/** Checks `value`; an empty list means that it is valid as far as this validator looks. */
export function validateJson(schema: JsonSchema, value: unknown): readonly SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  visit(schema, value, "", { root: schema, issues, depth: 0 });
  return issues;
}

/** The keywords anywhere in a schema that `validateJson` does not look at, sorted. */
export function ignoredKeywords(schema: JsonSchema): readonly string[] {
  const found = new Set<string>();
  collectIgnored(schema, found, new Set());
  return [...found].sort();
}

function collectIgnored(schema: unknown, found: Set<string>, seen: Set<unknown>): void {
  if (!isObject(schema) || seen.has(schema)) return;
  seen.add(schema);
  for (const [keyword, inner] of Object.entries(schema)) {
    if (keyword === "properties" || keyword === "$defs" || keyword === "definitions") {
      if (isObject(inner)) for (const each of Object.values(inner)) collectIgnored(each, found, seen);
    } else if (Object.hasOwn(keywords, keyword)) {
      for (const each of Array.isArray(inner) ? inner : [inner]) {
        if (holdsSchemas.has(keyword)) collectIgnored(each, found, seen);
      }
    } else if (!annotations.has(keyword) && !keyword.startsWith("x-")) {
      found.add(keyword);
    }
  }
}

const holdsSchemas = new Set([
  "items",
  "prefixItems",
  "additionalProperties",
  "anyOf",
  "oneOf",
  "allOf",
  "not",
]);

function visit(schema: unknown, value: unknown, path: string, check: Check): void {
  if (schema === true || schema === undefined || check.depth > depthLimit) return;
  if (schema === false) {
    check.issues.push({ path, message: "is not allowed" });
    return;
  }
  if (!isObject(schema)) return;
  const deeper = { ...check, depth: check.depth + 1 };
  for (const keyword of Object.keys(schema)) {
    if (Object.hasOwn(keywords, keyword)) keywords[keyword]?.(schema[keyword], value, path, deeper, schema);
  }
}

function isValid(schema: unknown, value: unknown, check: Check): boolean {
  const issues: SchemaIssue[] = [];
  visit(schema, value, "", { ...check, issues });
  return issues.length === 0;
}

const keywords: Readonly<Record<string, Keyword>> = {
  $ref(expected, value, path, check) {
    const target = resolve(check.root, expected);
    if (target !== undefined) visit(target, value, path, check);
  },
  type(expected, value, path, { issues }) {
    const types = Array.isArray(expected) ? expected : [expected];
    if (!types.some((type) => hasType(value, type))) {
      issues.push({ path, message: `must be ${types.join(" or ")}, not ${typeName(value)}` });
    }
  },
  enum(expected, value, path, { issues }) {
    if (Array.isArray(expected) && !expected.some((each) => isSame(each, value))) {
      issues.push({ path, message: `must be one of ${JSON.stringify(expected)}` });
    }
  },
  const(expected, value, path, { issues }) {
    if (!isSame(expected, value)) issues.push({ path, message: `must be ${JSON.stringify(expected)}` });
  },
  required(expected, value, path, { issues }) {
    if (!isObject(value) || !Array.isArray(expected)) return;
    for (const name of expected) {
      if (!Object.hasOwn(value, String(name)))
        issues.push({ path: join(path, String(name)), message: "is missing" });
    }
  },
  properties(expected, value, path, check) {
    if (!isObject(value) || !isObject(expected)) return;
    for (const [name, schema] of Object.entries(expected)) {
      if (Object.hasOwn(value, name)) visit(schema, value[name], join(path, name), check);
    }
  },
  additionalProperties(expected, value, path, check, schema) {
    if (!isObject(value)) return;
    const known = isObject(schema["properties"]) ? schema["properties"] : {};
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(known, name)) visit(expected, value[name], join(path, name), check);
    }
  },
  minProperties: limit(
    (value) => (isObject(value) ? Object.keys(value).length : undefined),
    "at least",
    "properties",
  ),
  maxProperties: limit(
    (value) => (isObject(value) ? Object.keys(value).length : undefined),
    "at most",
    "properties",
  ),
  items(expected, value, path, check, schema) {
    if (!Array.isArray(value)) return;
    const from = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"].length : 0;
    for (let index = from; index < value.length; index++)
      visit(expected, value[index], join(path, `${index}`), check);
  },
  prefixItems(expected, value, path, check) {
    if (!Array.isArray(value) || !Array.isArray(expected)) return;
    for (const [index, schema] of expected.entries()) {
      if (index < value.length) visit(schema, value[index], join(path, `${index}`), check);
    }
  },
  minItems: limit((value) => (Array.isArray(value) ? value.length : undefined), "at least", "items"),
  maxItems: limit((value) => (Array.isArray(value) ? value.length : undefined), "at most", "items"),
  uniqueItems(expected, value, path, { issues }) {
    if (expected !== true || !Array.isArray(value)) return;
    if (new Set(value.map(canonical)).size < value.length)
      issues.push({ path, message: "must not repeat an item" });
  },
  minLength: limit(characters, "at least", "characters"),
  maxLength: limit(characters, "at most", "characters"),
  pattern(expected, value, path, { issues }) {
    if (typeof value !== "string" || typeof expected !== "string") return;
    if (!new RegExp(expected, "u").test(value)) issues.push({ path, message: `must match ${expected}` });
  },
  minimum: limit(asNumber, "at least", ""),
  maximum: limit(asNumber, "at most", ""),
  exclusiveMinimum: limit(asNumber, "more than", ""),
  exclusiveMaximum: limit(asNumber, "less than", ""),
  multipleOf(expected, value, path, { issues }) {
    if (typeof value !== "number" || typeof expected !== "number" || expected <= 0) return;
    const ratio = value / expected;
    if (Math.abs(ratio - Math.round(ratio)) > 1e-9 * Math.max(1, Math.abs(ratio))) {
      issues.push({ path, message: `must be a multiple of ${expected}` });
    }
  },
  anyOf(expected, value, path, check) {
    if (!Array.isArray(expected) || expected.some((schema) => isValid(schema, value, check))) return;
    check.issues.push({ path, message: "fits none of the allowed shapes" });
  },
  oneOf(expected, value, path, check) {
    if (!Array.isArray(expected)) return;
    const fitting = expected.filter((schema) => isValid(schema, value, check)).length;
    if (fitting !== 1) check.issues.push({ path, message: `must fit one of the shapes, fits ${fitting}` });
  },
  allOf(expected, value, path, check) {
    if (Array.isArray(expected)) for (const schema of expected) visit(schema, value, path, check);
  },
  not(expected, value, path, check) {
    if (isValid(expected, value, check))
      check.issues.push({ path, message: "has a shape that is not allowed" });
  },
};

function limit(
  measure: (value: unknown) => number | undefined,
  relation: "at least" | "at most" | "more than" | "less than",
  unit: string,
): Keyword {
  return (expected, value, path, { issues }) => {
    const size = measure(value);
    if (size === undefined || typeof expected !== "number") return;
    const holds = {
      "at least": size >= expected,
      "at most": size <= expected,
      "more than": size > expected,
      "less than": size < expected,
    }[relation];
    if (holds) return;
    issues.push({
      path,
      message: unit ? `must have ${relation} ${expected} ${unit}` : `must be ${relation} ${expected}`,
    });
  };
}

/** In code points, as JSON Schema counts. */
function characters(value: unknown): number | undefined {
  return typeof value === "string" ? Array.from(value).length : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** `#`, `#/$defs/x` and the like, within the schema only; undefined for anything else. */
function resolve(root: JsonSchema, reference: unknown): unknown {
  if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
  let target: unknown = root;
  for (const step of reference.slice(1).split("/").filter(Boolean)) {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isObject(target) || !Object.hasOwn(target, name)) return undefined;
    target = target[name];
  }
  return target;
}

function hasType(value: unknown, type: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return typeof value === "number" && Number.isFinite(value);
  return type === typeName(value);
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isSame(left: unknown, right: unknown): boolean {
  return left === right || canonical(left) === canonical(right);
}

/** JSON text with sorted keys, so that equal values have equal texts. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      isObject(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? "undefined"
  );
}

function join(path: string, name: string): string {
  return path ? `${path}/${name}` : name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
