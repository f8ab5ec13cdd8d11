import { kernelErrors } from '../../kernel/errors.js';

const DEPTH_MAX = 50;
/** Half of a surrogate pair: no text in UTF-8 has it, so it would come back as another character. */
const HALF_CHARACTER = /\p{Surrogate}/u;

/**
 * A body as every route takes it: one JSON object, not too deep, without a name that could change an object's
 * prototype, and with texts that can be stored as they are. Throws an error that says which of these it is not.
 */
export function parseBody(text: string): object {
  const body = parseJson(text);
  if (!isObject(body) || Array.isArray(body))
    throw kernelErrors.invalid_params({
      message: `The body must be a JSON object, like {"name": "value"}, not ${nameOf(body)}.`,
    });
  assertPlain(body);
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw kernelErrors.bad_request({
      message: 'The body is not valid JSON; check its syntax.',
      cause: error,
    });
  }
}

/** Without recursion: a body of 4 MiB can be deeper than the stack. */
function assertPlain(body: object): void {
  let level: { value: object; at: Place | null }[] = [{ value: body, at: null }];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX)
      throw kernelErrors.invalid_params({
        message: `The body is nested too deeply; ${DEPTH_MAX} levels are the most.`,
      });
    level = level.flatMap(({ value, at: parent }) =>
      Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
        const at = { name, parent };
        assertText(name, () => 'A name in the body');
        if (name === '__proto__')
          throw kernelErrors.bad_request({ message: 'Nothing in the body can have the name __proto__.' });
        if (typeof inner === 'string') assertText(inner, () => `The value of ${pathOf(at)}`);
        return isObject(inner) ? [{ value: inner, at }] : [];
      }),
    );
  }
}

/** Where in the body something is. Put into words only for a refusal: names can be as long as the body. */
interface Place {
  name: string;
  parent: Place | null;
}

function pathOf(place: Place): string {
  const names: string[] = [];
  for (let at: Place | null = place; at !== null; at = at.parent) names.unshift(at.name.slice(0, 100));
  return names.join('.').slice(0, 100);
}

function assertText(text: string, what: () => string): void {
  if (HALF_CHARACTER.test(text))
    throw kernelErrors.invalid_params({
      message: `${what()} holds half a character (a lone surrogate, such as \\ud800); send whole ones.`,
    });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
