/** A checker for the part of JSON Schema (draft 2020-12) that the schemas of this project use. */

/** A JSON schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about validity. */
const NOTES = ["$schema", "$defs", "$id", "title", "description", "default", "examples"];

type Check = (value: unknown, rule: unknown, context: Context) => string[];

interface Context {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
  readonly at: string;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function complain(holds: boolean, { at }: Context, what: string): string[] {
  return holds ? [] : [`${at}: ${what}`];
}

const CHECKS: Readonly<Record<string, Check>> = {
  $ref: (value, rule, { root, at }) => {
    const target = String(rule).split("/").slice(1)
      .reduce<unknown>((part, key) => isObject(part) ? part[key] : undefined, root);
    if (!isObject(target)) throw new TypeError(`The schema has no ${rule}`);
    return schemaErrors(value, target, { root, at });
  },
  type: (value, rule, context) => {
    const types = [rule].flat();
    const isInteger = types.includes("integer") && Number.isInteger(value);
    return complain(isInteger || types.includes(typeOf(value)), context, `must be ${types}`);
  },
  const: (value, rule, context) => complain(value === rule, context, `must be ${rule}`),
  enum: (value, rule, context) =>
    complain((rule as unknown[]).includes(value), context, `must be one of ${rule}`),
  pattern: (value, rule, context) =>
    complain(
      typeof value !== "string" || new RegExp(String(rule), "u").test(value),
      context,
      `must match ${rule}`,
    ),
  minimum: (value, rule, context) =>
    complain(typeof value !== "number" || value >= Number(rule), context, `must be >= ${rule}`),
  maximum: (value, rule, context) =>
    complain(typeof value !== "number" || value <= Number(rule), context, `must be <= ${rule}`),
  exclusiveMinimum: (value, rule, context) =>
    complain(typeof value !== "number" || value > Number(rule), context, `must be > ${rule}`),
  minItems: (value, rule, context) =>
    complain(!Array.isArray(value) || value.length >= Number(rule), context, `too few items`),
  maxItems: (value, rule, context) =>
    complain(!Array.isArray(value) || value.length <= Number(rule), context, `too many items`),
  required: (value, rule, context) =>
    isObject(value)
      ? (rule as string[]).flatMap((key) => complain(key in value, context, `must have ${key}`))
      : [],
  properties: (value, rule, { root, at }) =>
    isObject(value)
      ? Object.entries(rule as Record<string, JsonSchema>).flatMap(([key, part]) =>
        key in value ? schemaErrors(value[key], part, { root, at: `${at}.${key}` }) : []
      )
      : [],
  additionalProperties: (value, rule, { schema, root, at }) => {
    if (!isObject(value)) return [];
    const known = Object.keys(schema.properties ?? {});
    const others = Object.entries(value).filter(([key]) => !known.includes(key));
    if (rule === false) return others.map(([key]) => `${at}: must not have ${key}`);
    return others.flatMap(([key, part]) =>
      schemaErrors(part, rule as JsonSchema, { root, at: `${at}.${key}` })
    );
  },
  items: (value, rule, { root, at }) =>
    Array.isArray(value)
      ? value.flatMap((part, i) =>
        schemaErrors(part, rule as JsonSchema, { root, at: `${at}[${i}]` })
      )
      : [],
  anyOf: (value, rule, context) => {
    const all = (rule as JsonSchema[]).map((part) => schemaErrors(value, part, context));
    return all.some((errors) => errors.length === 0) ? [] : all.flat();
  },
  oneOf: (value, rule, context) => {
    const all = (rule as JsonSchema[]).map((part) => schemaErrors(value, part, context));
    const fits = all.filter((errors) => errors.length === 0).length;
    if (fits === 1) return [];
    return fits === 0 ? all.flat() : [`${context.at}: fits more than one of oneOf`];
  },
  not: (value, rule, context) =>
    complain(
      schemaErrors(value, rule as JsonSchema, context).length > 0,
      context,
      "must not be so",
    ),
};

/**
 * Validates a value by a schema.
 *
 * @returns what is wrong, a line each; throws if the schema has a keyword that is not known here
 */
export function schemaErrors(
  value: unknown,
  schema: JsonSchema,
  context: { root: JsonSchema; at: string } = { root: schema, at: "$" },
): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (NOTES.includes(keyword)) return [];
    const check = CHECKS[keyword];
    if (!check) throw new TypeError(`The checker of schemas does not know ${keyword}`);
    return check(value, rule, { ...context, schema });
  });
}
