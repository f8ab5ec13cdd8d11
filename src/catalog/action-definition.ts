import { schemaProblems, type JsonSchema } from './json-schema.js';

/** A typed day-2 verb of a service, as its manifest declares it in `souk.actions`. */
export interface ActionDefinition {
  name: string;
  title: string;
  description: string;
  /** A `query` changes nothing at the provider. */
  kind: 'command' | 'query';
  /** Whoever runs it names the add-on once more. */
  confirm: boolean;
  params: JsonSchema;
  /** null: the result is whatever the provider says. */
  result: JsonSchema | null;
}

const ACTIONS_MAX = 50;
const FIELDS = ['name', 'title', 'description', 'kind', 'confirm', 'params', 'result'];
/** At these addresses providers report the end of their asynchronous work. */
const RESERVED = ['provision', 'deprovision'];
const NO_PARAMS: JsonSchema = { type: 'object' };

type Json = Record<string, unknown>;

/** Reads `souk.actions`; what is wrong goes to `problem`, one sentence each. */
export function readActions(input: unknown, problem: (sentence: string) => void): ActionDefinition[] {
  if (input === undefined) return [];
  if (!Array.isArray(input)) {
    problem('souk.actions must be a list.');
    return [];
  }
  if (input.length > ACTIONS_MAX) {
    problem(`souk.actions must be at most ${ACTIONS_MAX}.`);
    return [];
  }
  const actions = input.flatMap((one: unknown, index) => {
    const path = `souk.actions[${index}]`;
    if (isObject(one)) return [readAction(one, path, problem)];
    problem(`${path} must be an object.`);
    return [];
  });
  if (new Set(actions.map(({ name }) => name)).size !== actions.length)
    problem('souk.actions: each name only once.');
  return actions;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readAction(from: Json, path: string, problem: (sentence: string) => void): ActionDefinition {
  const text = (field: string, most: number): string => {
    const value = from[field];
    if (typeof value === 'string' && value !== '' && value.length <= most) return value;
    problem(`${path}.${field} must be a text of 1 to ${most} characters.`);
    return '';
  };
  for (const field of Object.keys(from))
    if (!FIELDS.includes(field)) problem(`${path}.${field.slice(0, 60)} is not known.`);
  const name = text('name', 60);
  if (!/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$/.test(name))
    problem(`${path}.name must be lower-case words joined by dots, e.g. backups.create.`);
  if (RESERVED.includes(name)) problem(`${path}.name must not be ${name}, which has a meaning of its own.`);
  const { kind, confirm = false, params = NO_PARAMS, result = null } = from;
  if (kind !== 'command' && kind !== 'query') problem(`${path}.kind must be "command" or "query".`);
  if (typeof confirm !== 'boolean') problem(`${path}.confirm must be true or false.`);
  const wrong = [
    ...schemaProblems(params, `${path}.params`),
    ...(result === null ? [] : schemaProblems(result, `${path}.result`)),
  ];
  wrong.forEach(problem);
  if (wrong.length === 0 && (params as JsonSchema).type !== 'object')
    problem(`${path}.params.type must be object.`);
  return {
    name,
    title: text('title', 100),
    description: from.description === undefined ? '' : text('description', 500),
    kind: kind === 'query' ? 'query' : 'command',
    confirm: confirm === true,
    params: wrong.length === 0 ? (params as JsonSchema) : NO_PARAMS,
    result: wrong.length === 0 ? (result as JsonSchema | null) : null,
  };
}
