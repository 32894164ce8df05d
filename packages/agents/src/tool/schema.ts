import { WeftError } from "@weft/tracing";
import type { SchemaIssue } from "./json-schema.ts";
import { ignoredKeywords, validateJson } from "./json-schema.ts";

/** What we need of a Standard Schema (https://standardschema.dev): zod, valibot, arktype and others have it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** Standard JSON Schema, where the library has it. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: string }) => Record<string, unknown>;
    };
  };
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Parameters or a response format: any Standard Schema, or a JSON Schema as it is. */
export type Schema = StandardSchema | { readonly [keyword: string]: unknown };

/** The type a schema's values have once parsed. */
export type Parsed<S> = S extends { readonly "~standard": { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : unknown
  : // A JSON Schema says nothing to the type checker.
    Record<string, never> extends S
    ? Record<string, unknown>
    : Record<string, unknown>;

export type ParseResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** A schema made ready: its JSON form for the model, and its check for what the model answers. */
export interface CompiledSchema {
  readonly json: { readonly [keyword: string]: unknown };
  /** Keywords of a plain JSON Schema that `parse` does not look at; the model sees them all the same. */
  readonly unchecked: readonly string[];
  parse(value: unknown): ParseResult | Promise<ParseResult>;
}

/** Raises `invalid_argument` for a Standard Schema that cannot say its JSON Schema; `what` names it in the message. */
export function compileSchema(schema: Schema, what: string): CompiledSchema {
  if (typeof schema !== "object" && typeof schema !== "function") {
    throw new WeftError("invalid_argument", `${what} must be a Standard Schema or a JSON Schema object.`);
  }
  if (isStandard(schema)) {
    return { json: jsonOf(schema, what), unchecked: [], parse: (value) => parseStandard(schema, value) };
  }
  const json = unwrapAiSdk(schema);
  return {
    json,
    unchecked: ignoredKeywords(json),
    parse(value) {
      const issues = validateJson(json, value);
      return issues.length === 0 ? { ok: true, value } : { ok: false, issues };
    },
  };
}

/** One line a model can act on. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
}

export function isStandard(schema: unknown): schema is StandardSchema {
  const standard = (schema as { readonly "~standard"?: { readonly validate?: unknown } } | null)?.[
    "~standard"
  ];
  return typeof standard?.validate === "function";
}

/** The AI SDK's `jsonSchema()` keeps the plain schema in a field of this name. */
function unwrapAiSdk(schema: { readonly [keyword: string]: unknown }): {
  readonly [keyword: string]: unknown;
} {
  const inner = schema["jsonSchema"];
  return typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : schema;
}

/** Draft 7 first: it is what every provider reads. */
function jsonOf(schema: StandardSchema, what: string): Record<string, unknown> {
  const standard = schema["~standard"];
  const own = (schema as { readonly toJSONSchema?: unknown }).toJSONSchema;
  try {
    if (standard.jsonSchema) return withoutDialect(standard.jsonSchema.input({ target: "draft-07" }));
    if (typeof own === "function") return withoutDialect(own.call(schema) as Record<string, unknown>);
  } catch (cause) {
    throw new WeftError("invalid_argument", `${what} cannot be written as JSON Schema.`, { cause });
  }
  throw new WeftError(
    "invalid_argument",
    `${what}: the ${standard.vendor} schema gives no JSON Schema of itself. Give a JSON Schema instead.`,
  );
}

/** `$schema` says nothing to a model and some providers refuse it. */
function withoutDialect(schema: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== "$schema"));
}

async function parseStandard(schema: StandardSchema, value: unknown): Promise<ParseResult> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  const issues = result.issues.map(({ message, path }) => ({
    path: (path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join("/"),
    message,
  }));
  return { ok: false, issues };
}
