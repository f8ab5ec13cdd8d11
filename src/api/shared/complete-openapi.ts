import type { OpenAPIObject } from '@nestjs/swagger';
import type { RouteFact } from './route-inventory.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Responses = Operation['responses'];

const ERROR = { $ref: '#/components/schemas/Error' };
const ERROR_SCHEMA = {
  type: 'object',
  required: ['id', 'message'],
  properties: {
    id: { type: 'string', description: 'What is wrong, for programs: never renamed, never reused.' },
    message: { type: 'string', description: 'What is wrong and what to do, for people.' },
    error: {
      oneOf: [
        { type: 'string' },
        { type: 'object', properties: { base: { type: 'array', items: { type: 'string' } } } },
      ],
      description: 'With the routes of manifests: the message, or each of several.',
    },
    resource: { type: 'string', description: 'The kind of thing that was not found.' },
    app: {
      type: 'object',
      properties: { name: { type: 'string' } },
      description: 'The app that the refusal is about.',
    },
    request_id: { type: 'string', format: 'uuid', description: 'With every 5xx.' },
  },
};

/** Adds what every route has and no controller says: refusals, scopes, and the headers of lists that come in pages. */
export function completeOpenApi(document: OpenAPIObject, routes: RouteFact[]): OpenAPIObject {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Error: ERROR_SCHEMA },
  };
  for (const route of routes) {
    const path = document.paths[route.path.replace(/:(\w+)/g, '{$1}')];
    const operation = path?.[route.method.toLowerCase() as 'get'];
    if (operation === undefined || (route.access?.kind === 'addon' && route.access.shared)) continue;
    operation.operationId = operationIdOf(route);
    if (route.pagedBy !== null) describePages(operation, route.pagedBy);
    if (route.access?.kind === 'scope') Object.assign(operation, { 'x-souk-scope': route.access.scope });
    for (const [status, description] of refusalsOf(route))
      operation.responses[status] ??= { description, content: { 'application/json': { schema: ERROR } } };
  }
  return document;
}

/** A name that generators of clients can use, such as `getAppsByAppAddons` for `GET /apps/:app/addons`. */
function operationIdOf({ method, path }: RouteFact): string {
  const words = path.replace(/:/g, 'by-').split(/\W+/);
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join(
    '',
  );
}

function refusalsOf({ access, path, method, pagedBy }: RouteFact): [string, string][] {
  const refusals: [string, string][] = [['400', 'The request cannot be read.']];
  if (access?.kind !== 'public') refusals.push(['401', 'There are no credentials, or they are not valid.']);
  if (access?.kind === 'scope') refusals.push(['403', `The token lacks the scope \`${access.scope}\`.`]);
  if (path.includes(':')) refusals.push(['404', 'There is no such thing, or it is not yours.']);
  if (access?.kind === 'addon') refusals.push(['410', 'The add-on is gone.']);
  if (pagedBy !== null) refusals.push(['416', 'The `Range` cannot be used here.']);
  if (['POST', 'PATCH', 'PUT'].includes(method))
    refusals.push(
      ['413', 'The body is too large.'],
      ['415', 'The body is not JSON.'],
      ['422', 'Something in the body, or the state of things, does not allow it.'],
    );
  return refusals;
}

function describePages(operation: Operation, fields: readonly string[]): void {
  const [first = 'id'] = fields;
  operation.parameters = [
    ...(operation.parameters ?? []).filter((one) => !('name' in one) || one.name !== 'range'),
    {
      name: 'Range',
      in: 'header',
      required: false,
      description: `Which part of the list, by ${fields.join(' or ')}: \`${first} ]start..end; order=desc, max=200\`. The bracket leaves the start itself out. At most 1,000.`,
      schema: { type: 'string', example: `${first} ..; max=200` },
    },
  ];
  const whole = operation.responses['200'] as Responses[string] & { headers?: object };
  const shown = {
    'Accept-Ranges': header(`The fields that a Range can name: ${[...fields].sort().join(', ')}.`),
    'Content-Range': header('The field, and its first and last value here. Not with an empty list.'),
  };
  operation.responses['200'] = {
    ...whole,
    description: 'The end of the list, or all of it.',
    headers: shown,
  };
  operation.responses['206'] = {
    ...whole,
    description: 'A part of the list; there is more.',
    headers: { ...shown, 'Next-Range': header('Send it back as Range for the next part.') },
  };
}

function header(description: string) {
  return { description, schema: { type: 'string' as const } };
}
