/**
 * The part of JSON Schema that actions are described with. It comes from providers, so it is small on purpose: nothing in
 * it can make a check slow, such as a pattern or a reference.
 */
export interface JsonSchema {
  type: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  title?: string;
  description?: string;
  enum?: (string | number)[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

type Json = Record<string, unknown>;
type Type = JsonSchema['type'];

const TYPES: readonly Type[] = ['object', 'array', 'string', 'number', 'integer', 'boolean'];
const DEPTH_MAX = 5;
const CHARS_MAX = 16_384;
const ENUM_MAX = 100;

/** What each type may say beside `type`, `title` and `description`, and how the value must look. */
const KEYWORDS: Record<Type, Record<string, (value: unknown) => boolean>> = {
  object: { properties: isObject, required: isNames },
  array: { items: isObject, minItems: isCount, maxItems: isCount },
  string: { enum: listOf('string'), minLength: isCount, maxLength: isCount },
  number: { enum: listOf('number'), minimum: isFinite, maximum: isFinite },
  integer: { enum: listOf('number'), minimum: isFinite, maximum: isFinite },
  boolean: {},
};

/** What is wrong with a schema, one sentence each; none: it is a `JsonSchema`. */
export function schemaProblems(schema: unknown, path: string): string[] {
  if (JSON.stringify(schema ?? null).length > CHARS_MAX)
    return [`${path} must be at most ${CHARS_MAX} characters of JSON.`];
  return problemsAt(schema, path, 0);
}

function problemsAt(schema: unknown, path: string, depth: number): string[] {
  if (!isObject(schema)) return [`${path} must be a JSON Schema with a type.`];
  if (depth >= DEPTH_MAX) return [`${path} is nested too deeply; ${DEPTH_MAX} levels are allowed.`];
  const type = TYPES.find((one) => one === schema.type);
  if (type === undefined) return [`${path}.type must be one of ${TYPES.join(', ')}.`];
  const problems = Object.entries(schema).flatMap(([name, value]) => {
    if (name === 'type') return [];
    if (name === 'title' || name === 'description')
      return typeof value === 'string' ? [] : [`${path}.${name} must be a text.`];
    const fits = Object.hasOwn(KEYWORDS[type], name) ? KEYWORDS[type][name] : undefined;
    if (fits === undefined) return [`${path}.${name.slice(0, 60)} is not supported for the type ${type}.`];
    return fits(value) ? [] : [`${path}.${name} has a value that makes no sense.`];
  });
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = isNames(schema.required) ? schema.required : [];
  return [
    ...problems,
    ...required
      .filter((name) => !Object.hasOwn(properties, name))
      .map((name) => `${path}.required names ${name}, which is no property.`),
    ...Object.entries(properties).flatMap(([name, inner]) => {
      const at = `${path}.properties.${name.slice(0, 60)}`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]{0,59}$/.test(name) || name === '__proto__')
        return [`${at} must be named by letters, digits, _ and -.`];
      return problemsAt(inner, at, depth + 1);
    }),
    ...(isObject(schema.items) ? problemsAt(schema.items, `${path}.items`, depth + 1) : []),
  ];
}

/**
 * What is wrong with a value, one sentence each. `closed`: a field that the schema does not name is wrong too, as it is
 * in what a customer sends and may have mistyped.
 */
export function valueProblems(schema: JsonSchema, value: unknown, path: string, closed: boolean): string[] {
  if (!isOfType(schema.type, value)) return [`${path} must be ${IN_WORDS[schema.type]}.`];
  if (schema.enum !== undefined && !schema.enum.some((one) => one === value))
    return [`${path} must be one of ${schema.enum.map(String).join(', ')}.`];
  if (Array.isArray(value)) return listProblems(schema, value, path, closed);
  if (typeof value === 'string')
    return bounded([...value].length, schema.minLength, schema.maxLength, path, ' characters');
  if (typeof value === 'number') return bounded(value, schema.minimum, schema.maximum, path, '');
  return isObject(value) ? objectProblems(schema, value, path, closed) : [];
}

function listProblems(schema: JsonSchema, value: unknown[], path: string, closed: boolean): string[] {
  const problems = bounded(value.length, schema.minItems, schema.maxItems, path, ' elements');
  const { items } = schema;
  if (problems.length > 0 || items === undefined) return problems;
  return value.flatMap((one, index) => valueProblems(items, one, `${path}[${index}]`, closed));
}

function objectProblems(schema: JsonSchema, value: Json, path: string, closed: boolean): string[] {
  const properties = schema.properties ?? {};
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => `${path}.${name} is missing.`),
    ...Object.entries(value).flatMap(([name, inner]) => {
      const at = `${path}.${name.slice(0, 60)}`;
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (known !== undefined) return valueProblems(known, inner, at, closed);
      return closed ? [`${at} is not known.`] : [];
    }),
  ];
}

const IN_WORDS: Record<Type, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
};

function isOfType(type: Type, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
      return isFinite(value);
    case 'string':
      return typeof value === 'string' && !value.includes('\0');
    case 'boolean':
      return typeof value === 'boolean';
  }
}

function bounded(
  size: number,
  min: number | undefined,
  max: number | undefined,
  path: string,
  unit: string,
): string[] {
  if (min !== undefined && size < min) return [`${path} must be at least ${min}${unit}.`];
  if (max !== undefined && size > max) return [`${path} must be at most ${max}${unit}.`];
  return [];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isFinite(value: unknown): boolean {
  return Number.isFinite(value);
}

function listOf(type: 'string' | 'number'): (value: unknown) => boolean {
  return (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= ENUM_MAX &&
    value.every((one) => typeof one === type);
}
